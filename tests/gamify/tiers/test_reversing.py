"""A tier that an event led into stays when the event is undone, and that is told."""

from datetime import UTC, datetime

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit, reverse_event
from participants.models import Participant
from tests.factories import RuleFactory, TierFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
STAYS = "A reversal does not lower the tier; assign another tier by hand if needed"


def undone(tenant):
    event_id = emit(tenant=tenant, event=EventInput("ada", "purchase", NOW), now=NOW).event_id
    return reverse_event(tenant=tenant, event_id=str(event_id), reason=None, now=NOW).undone


def test_a_tier_granted_by_a_rule_stays(tenant):
    TierFactory(tenant=tenant, code="vip", name="V.I.P.")
    RuleFactory(tenant=tenant, grants=[{"type": "tier", "code": "vip"}])

    assert undone(tenant) == [{"type": "tier", "code": "vip", "name": "V.I.P.", "kept": STAYS}]
    assert Participant.objects.get().tier_code == "vip"


def test_a_tier_reached_by_points_stays(tenant):
    TierFactory(tenant=tenant, code="start", level=1, criteria_config={"min_points": 0})
    TierFactory(tenant=tenant, code="gold", name="Gold", criteria_config={"min_points": 10, "basis": "lifetime"})
    RuleFactory(tenant=tenant)

    assert {"type": "tier", "code": "gold", "name": "Gold", "kept": STAYS} in undone(tenant)
    assert Participant.objects.get().tier_code == "gold"
