"""Awarding a badge to participants who met its criteria earlier: the command and the console page."""

import io
import json
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from gamify.badges.models import BadgeAward
from gamify.badges.services import create_badge, retroactive
from participants.models import DomainEvent, Participant
from tests.console import Console, text_of
from tests.factories import BadgeAwardFactory, BadgeFactory, EventFactory, ParticipantFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)


@pytest.fixture
def rich(tenant, monkeypatch):
    """Five of seven have enough points; one of them has the badge already."""
    monkeypatch.setattr(retroactive, "CHUNK", 3)
    people = [ParticipantFactory(tenant=tenant, external_id=f"p{n}", points=100 * n) for n in range(1, 8)]
    row = create_badge(
        tenant=tenant,
        data={"code": "rich", "name": "Rich", "criteria": {"metric": "total_earned", "min": 300}},
        now=NOW,
    )
    BadgeAwardFactory(participant=people[-1], badge=row)
    return row


def award_badges(*options, badge="rich", tenant="acme"):
    out = io.StringIO()
    call_command("award_badges", "--tenant", tenant, "--badge", badge, "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def test_everyone_who_meets_the_criteria_gets_the_badge_once(tenant, rich):
    first, again = award_badges(), award_badges()

    assert first == {"participants": 7, "awarded": 4, "dry_run": False}
    assert again == {"participants": 7, "awarded": 0, "dry_run": False}
    assert BadgeAward.objects.count() == 5
    assert not DomainEvent.objects.exists()
    assert Participant.objects.get(external_id="p3").badge_count == 1


def test_a_dry_run_awards_nothing(rich):
    assert award_badges("--dry-run") == {"participants": 7, "awarded": 4, "dry_run": True}
    assert BadgeAward.objects.count() == 1


def test_domain_events_are_published_on_request(rich):
    award_badges("--emit")

    assert set(DomainEvent.objects.values_list("type", flat=True)) == {"badge.awarded"}
    assert DomainEvent.objects.count() == 4


def test_events_of_the_past_count(tenant, other_tenant):
    for owner in (tenant, other_tenant):
        for name, amounts in (("a", [5, 6]), ("b", [5]), ("c", [])):
            person = ParticipantFactory(tenant=owner, external_id=name)
            for amount in amounts:
                EventFactory(participant=person, name="buy", properties={"amount": amount})
    criteria = {"metric": "event_sum", "event_name": "buy", "field": "amount", "min": 10}
    create_badge(tenant=tenant, data={"code": "rich", "name": "Rich", "criteria": criteria}, now=NOW)

    assert award_badges()["awarded"] == 1
    assert BadgeAward.objects.get().participant.external_id == "a"


@pytest.mark.parametrize(("badge", "message"), [("gone", "not found: gone"), ("plain", "has no criteria")])
def test_a_badge_without_criteria_is_refused(tenant, badge, message):
    BadgeFactory(tenant=tenant, code="plain")

    with pytest.raises(CommandError, match=message):
        award_badges(badge=badge)


def test_the_console_shows_the_number_and_awards(tenant, rich):
    console = Console(tenant)

    asked = text_of(console.get("badges_badge_award_to_eligible", rich.pk))
    done = console.post("badges_badge_award_to_eligible", rich.pk)

    assert "4 participants meet the criteria and do not have it." in asked
    assert done.status_code == 302
    assert BadgeAward.objects.count() == 5


def test_the_console_does_not_offer_it_to_large_tenants(tenant, rich, monkeypatch):
    monkeypatch.setattr("gamify.badges.admin.MAX_PARTICIPANTS", 6)

    assert "Award to all" not in text_of(Console(tenant).get("badges_badge_change", rich.pk))
