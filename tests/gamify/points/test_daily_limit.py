"""The points that one person of the support may adjust in one day."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from gamify.points.models import LedgerEntry
from gamify.points.services import DailyLimit, DailyLimitReached, adjust
from gamify.points.services.adjusting import AdjustmentResult
from participants.actors import ActorKind, acting_as, actor_of
from participants.models import Participant, Tenant
from tests.console import Console, errors_of, member, text_of, user_with_role
from tests.factories import ParticipantFactory
from tests.threads import all_at_once

ADJUST = "participants_participant_adjust"


@pytest.fixture
def limited(tenant: Tenant) -> Tenant:
    tenant.support_points_per_day = 100
    tenant.save(update_fields=["support_points_per_day"])
    return tenant


def send(console: Console, participant: Participant, delta: int) -> Any:
    return console.post(ADJUST, participant.pk, delta=delta, reason="Goodwill")


def test_support_adjusts_up_to_the_limit_of_the_tenant(limited: Tenant) -> None:
    ada, console = ParticipantFactory(tenant=limited, points=500), member("support", limited)

    accepted = [send(console, ada, delta).status_code for delta in (60, -40)]
    refused = send(console, ada, 1)

    assert accepted == [302, 302]
    assert errors_of(refused)["delta"] == [
        "You may adjust 100 points per day in this tenant, up and down together. You have 0 left until midnight UTC"
    ]
    assert Participant.objects.get(pk=ada.pk).balance == 520


def test_the_refusal_says_how_much_is_left_and_the_success_too(limited: Tenant) -> None:
    ada, console = ParticipantFactory(tenant=limited), member("support", limited)

    send(console, ada, 70)

    assert "You may adjust 30 more points today." in text_of(console.get("participants_participant_change", ada.pk))
    assert "You have 30 left" in text_of(send(console, ada, 31))


def test_the_limit_begins_again_at_midnight_utc(limited: Tenant, time_machine: Any) -> None:
    time_machine.move_to("2026-03-01T23:59:59Z", tick=False)
    ada, console = ParticipantFactory(tenant=limited), member("support", limited)
    send(console, ada, 100)

    time_machine.move_to("2026-03-02T00:00:00Z", tick=False)

    assert send(console, ada, 100).status_code == 302


def test_each_person_and_each_tenant_has_a_limit_of_its_own(limited: Tenant) -> None:
    ada, twin = ParticipantFactory(tenant=limited), ParticipantFactory(tenant=limited.sandbox)
    console = member("support", limited)
    send(console, ada, 100)

    other = send(member("support", limited, name="colleague"), ada, 100)
    console.pick(limited.sandbox)

    assert (other.status_code, send(console, twin, 1000).status_code) == (302, 302)


def test_a_form_that_is_sent_twice_counts_once(limited: Tenant) -> None:
    ada, console = ParticipantFactory(tenant=limited), member("support", limited)

    answers = [console.post(ADJUST, ada.pk, delta=60, reason="x", idempotency_key="k") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert send(console, ada, 40).status_code == 302


def test_owners_adjust_without_a_limit(limited: Tenant) -> None:
    ada = ParticipantFactory(tenant=limited)

    assert send(member("owner", limited), ada, 100_000).status_code == 302


@pytest.mark.parametrize("page", ["award", "deduct"])
def test_support_cannot_go_round_the_limit(limited: Tenant, page: str) -> None:
    ada = ParticipantFactory(tenant=limited, points=100)

    answer = member("support", limited).post(f"participants_participant_{page}", ada.pk, amount=10, reason="x")

    assert answer.status_code == 403
    assert Participant.objects.get(pk=ada.pk).balance == 100


@pytest.mark.django_db(transaction=True)
def test_adjustments_at_the_same_moment_do_not_exceed_it_together(tenant: Tenant) -> None:
    user = user_with_role("support", tenant)
    people = [ParticipantFactory(tenant=tenant).external_id for _ in range(8)]

    results = all_at_once([partial(adjust_as, user.pk, tenant, who) for who in people])

    assert sum(isinstance(result, AdjustmentResult) for result in results) == 3
    assert sum(isinstance(result, DailyLimitReached) for result in results) == 5
    assert sum(LedgerEntry.objects.filter(type="adjust").values_list("delta", flat=True)) == 90


def adjust_as(user_id: int, tenant: Tenant, who: str) -> AdjustmentResult:
    with acting_as(actor_of(ActorKind.STAFF, user_id, "support")):
        return adjust(
            tenant=tenant,
            participant_id=who,
            delta=30,
            reason="Goodwill",
            limit=DailyLimit(user_id, 100),
            now=datetime.now(UTC),
        )
