"""Reversing an event cancels the claims that it granted, where possible."""

import pytest

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit, reverse_event
from participants.models import DomainEvent, Participant, Tenant
from rewards.models import Claim, Reward, RewardTally
from rewards.services import cancel, fulfil
from tests.factories import RuleFactory
from tests.rewards.conftest import NOW


@pytest.fixture
def granting_event(tenant, make_reward):
    """`granting_event(codes=["A"])` is an event for which a rule granted such a reward."""

    def buy(**fields):
        reward = make_reward(**fields)
        RuleFactory(tenant=tenant, code="gift", event_types=["buy"], grants=[{"type": "reward", "id": str(reward.pk)}])
        return emit(tenant=reloaded(tenant), event=EventInput("ada", "buy", NOW), now=NOW).event_id

    return buy


def reloaded(tenant):
    return Tenant.objects.get(pk=tenant.pk)


def undo_event(tenant, event_id):
    answer = reverse_event(tenant=reloaded(tenant), event_id=str(event_id), reason="fraud", now=NOW)
    return [each for each in answer.undone if each["type"] == "reward"]


def test_a_claim_of_the_event_is_cancelled_and_its_piece_is_returned(tenant, granting_event):
    event_id = granting_event(total_inventory=5)

    assert undo_event(tenant, event_id) == [
        {"type": "reward", "name": "10% Off Coupon", "id": str(Reward.objects.get().pk)}
    ]

    claim = Claim.objects.get()
    assert (claim.status, claim.reason, claim.closed_at) == ("cancelled", "fraud", NOW)
    assert (Reward.objects.get().claimed, RewardTally.objects.get().claims) == (0, 0)
    assert Participant.objects.get().rewards_claimed == 0
    assert DomainEvent.objects.get(type="reward.cancelled").data["reason"] == "fraud"


def test_a_pending_claim_of_the_event_is_cancelled(tenant, granting_event):
    event_id = granting_event(total_inventory=0)

    assert [each.get("kept") for each in undo_event(tenant, event_id)] == [None]

    assert Claim.objects.get().status == "cancelled"
    assert (Reward.objects.get().claimed, Participant.objects.get().rewards_claimed) == (0, 0)


def test_a_claim_whose_code_was_handed_out_is_reported_and_not_cancelled(tenant, granting_event):
    event_id = granting_event(codes=["A"])

    assert [each["kept"] for each in undo_event(tenant, event_id)] == [
        "Its code was handed out, and may have been used"
    ]

    assert (Claim.objects.get().status, Participant.objects.get().rewards_claimed) == ("claimed", 1)


def test_a_fulfilled_claim_is_not_cancelled(tenant, granting_event):
    event_id = granting_event()
    fulfil(tenant=tenant, claim_id=str(Claim.objects.get().pk), reason=None, now=NOW)

    assert [each["kept"] for each in undo_event(tenant, event_id)] == ["It was fulfilled"]


def test_a_claim_that_was_cancelled_by_hand_is_not_cancelled_again(tenant, granting_event):
    event_id = granting_event()
    cancel(tenant=tenant, claim_id=str(Claim.objects.get().pk), reason="by hand", now=NOW)

    assert undo_event(tenant, event_id) == []
    assert Claim.objects.get().reason == "by hand"


def test_claims_of_other_events_are_not_cancelled(tenant, granting_event):
    first = granting_event(max_claims_per_user=None)
    second = emit(tenant=reloaded(tenant), event=EventInput("ada", "buy", NOW), now=NOW).event_id

    undo_event(tenant, first)

    assert dict(Claim.objects.values_list("event_id", "status")) == {first: "cancelled", second: "claimed"}
    assert (Reward.objects.get().claimed, RewardTally.objects.get().claims) == (1, 1)
