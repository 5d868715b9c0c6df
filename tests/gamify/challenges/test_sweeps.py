"""Enrolments that end uncompleted are announced, once each."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gamify.challenges import tasks
from gamify.challenges.models import Challenge, Enrolment
from gamify.challenges.selectors.due import challenges_with_due, due_rows
from gamify.challenges.services import enroll, expire_in_chunks
from gamify.challenges.services.ending import RETRY_DELAY, _expire
from gamify.facts.engine.events import EventInput
from gamify.facts.services import Consumer, emit
from participants.models import DomainEvent, Participant, Tenant
from participants.work import unit_of_work
from tests.factories import ChallengeFactory, objective
from tests.threads import all_at_once

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
END = NOW + 2 * DAY


@pytest.fixture
def fixed(tenant):
    return ChallengeFactory(
        tenant=tenant,
        code="fixed",
        name="Fixed",
        objectives=[objective("login", 2)],
        duration_type="fixed",
        starts_at=NOW - DAY,
        ends_at=END,
    )


@pytest.fixture
def rolling(tenant):
    wanted = [objective("login", 2)]
    return ChallengeFactory(tenant=tenant, code="rolling", objectives=wanted, duration_type="rolling", duration_days=2)


def enrol_all(challenge, *people, at=NOW):
    for person in people or ("ada",):
        tenant = Tenant.objects.get(pk=challenge.tenant_id)
        enroll(tenant=tenant, participant_id=person, code=challenge.code, now=at)


def sweep(now):
    """Run the sweep; return the number of rows processed."""
    return sum(sum(expire_in_chunks(challenge=challenge, now=now)) for challenge in challenges_with_due(now=now))


def announced():
    events = DomainEvent.objects.filter(type="challenge.expired").order_by("id")
    return [(event.data["participant_id"], event.data["challenge_code"]) for event in events]


def change_challenge(challenge, **changes):
    Challenge.objects.filter(pk=challenge.pk).update(**changes)
    tenant = Tenant.objects.get(pk=challenge.tenant_id)
    Tenant.objects.filter(pk=tenant.pk).update(catalog_version=tenant.catalog_version + 1)


def test_the_end_is_announced_once_and_not_before(fixed):
    enrol_all(fixed)

    looked_at = [sweep(END - timedelta(microseconds=1)), sweep(END), sweep(END + MINUTE)]

    assert looked_at == [0, 1, 0]
    assert announced() == [("ada", "fixed")]
    assert DomainEvent.objects.get(type="challenge.expired").data["challenge_name"] == "Fixed"
    assert Enrolment.objects.get().expired_at == END


def test_a_rolling_challenge_ends_for_each_participant_separately(rolling):
    enrol_all(rolling, "ada")
    enrol_all(rolling, "bob", at=NOW + MINUTE)

    sweep(NOW + 2 * DAY)
    first = announced()
    sweep(NOW + 2 * DAY + MINUTE)

    assert first == [("ada", "rolling")]
    assert announced() == [("ada", "rolling"), ("bob", "rolling")]


def test_completed_enrolments_are_not_announced(tenant, fixed):
    enrol_all(fixed, "ada", "bob")
    for _ in range(2):
        emit(tenant=Tenant.objects.get(pk=tenant.pk), event=EventInput("ada", "login", NOW), now=NOW)

    assert sweep(END) == 1
    assert announced() == [("bob", "fixed")]


def test_a_late_event_does_not_announce_the_end_again(tenant):
    wanted = [objective("login", 3)]
    ChallengeFactory(tenant=tenant, code="late", objectives=wanted, duration_type="rolling", duration_days=2)
    send_event(tenant, at=NOW)
    sweep(END)

    send_event(tenant, at=END - MINUTE, now=END)

    assert sweep(END + MINUTE) == 0
    assert announced() == [("ada", "late")]
    send_event(tenant, at=END - MINUTE, now=END)
    assert Enrolment.objects.get().completions == 1


def send_event(tenant, *, at, now=NOW):
    emit(tenant=Tenant.objects.get(pk=tenant.pk), event=EventInput("ada", "login", at), now=now)


def test_a_perpetual_challenge_never_ends(tenant):
    enrol_all(ChallengeFactory(tenant=tenant, objectives=[objective("login", 2)]))

    assert sweep(NOW + 3650 * DAY) == 0


def test_the_end_of_an_inactive_challenge_is_announced_once_it_is_active_again(fixed):
    enrol_all(fixed)
    change_challenge(fixed, is_active=False)
    sweep(END)
    told_meanwhile = announced()

    change_challenge(fixed, is_active=True)
    sweep(END + DAY)

    assert told_meanwhile == []
    assert announced() == [("ada", "fixed")]


def test_a_challenge_deactivated_during_the_sweep_is_not_announced(tenant, fixed):
    enrol_all(fixed)
    chunk = due_rows(fixed, behind=None, limit=10, now=END)
    change_challenge(fixed, is_active=False)

    _expire(tenant=Tenant.objects.get(pk=tenant.pk), challenge_id=fixed.pk, chunk=chunk, now=END)

    assert announced() == []


def test_a_postponed_end_is_announced_later(fixed):
    enrol_all(fixed)
    change_challenge(fixed, ends_at=END + DAY)

    assert [sweep(END), sweep(END + DAY)] == [0, 1]


def test_an_end_that_was_brought_forward_is_announced_at_once(rolling):
    enrol_all(rolling)
    change_challenge(rolling, duration_days=1)

    assert sweep(NOW + DAY) == 1


def test_a_row_that_changed_since_it_was_found_is_not_announced(tenant, fixed):
    enrol_all(fixed)
    chunk = due_rows(fixed, behind=None, limit=10, now=END)
    Enrolment.objects.update(completions=1, completed_at=NOW)

    _expire(tenant=Tenant.objects.get(pk=tenant.pk), challenge_id=fixed.pk, chunk=chunk, now=END)

    assert announced() == []


def test_many_rows_are_processed_in_chunks(fixed, monkeypatch):
    monkeypatch.setattr("gamify.challenges.services.ending.CHUNK", 2)
    people = [f"user_{number}" for number in range(5)]
    enrol_all(fixed, *people)

    assert sweep(END) == 5
    assert sorted(person for person, _ in announced()) == people


def test_a_row_that_fails_is_postponed_and_blocks_no_other(fixed):
    people = [f"user_{number}" for number in range(7)]
    enrol_all(fixed, *people)
    broken = Enrolment.objects.filter(participant=Participant.objects.get(external_id="user_3"))
    broken.update(progress={"login": "garbage"})

    looked_at = [sweep(END), sweep(END + MINUTE)]

    assert looked_at == [6, 0]
    assert {person for person, _ in announced()} == {*people} - {"user_3"}
    assert broken.get().retry_at == END + RETRY_DELAY


def test_a_repaired_row_is_announced_at_its_retry(fixed):
    enrol_all(fixed)
    Enrolment.objects.update(progress={"login": "garbage"})
    sweep(END)
    Enrolment.objects.update(progress={})

    assert [sweep(END + RETRY_DELAY - MINUTE), sweep(END + RETRY_DELAY)] == [0, 1]
    assert announced() == [("ada", "fixed")]


def test_the_task_announces_the_ends_of_every_tenant(tenant, other_tenant, fixed):
    other = ChallengeFactory(
        tenant=other_tenant, objectives=[objective("x")], duration_type="rolling", duration_days=1, enrolment="manual"
    )
    enrol_all(fixed)
    enrol_all(other, "zoe")

    with time_machine.travel(END, tick=False):
        tasks.expire_ended()
        tasks.expire_ended()

    assert sorted(announced()) == [("ada", "fixed"), ("zoe", other.code)]
    assert {event.tenant_id for event in DomainEvent.objects.filter(type="challenge.expired")} == {
        tenant.pk,
        other_tenant.pk,
    }


def test_definitions_react_to_an_end_at_its_own_time(fixed, settings):
    HEARD[:] = []
    enrol_all(fixed)
    settings.FACT_CONSUMERS = [*settings.FACT_CONSUMERS, f"{__name__}.OTHERS"]

    sweep(END + DAY)

    assert HEARD == [("challenge.expired", "ada", END)]


HEARD = []


def _react(fact, work, *, now):
    if fact.is_change:
        HEARD.append((fact.name, fact.participant.external_id, fact.at))
    return []


OTHERS = Consumer(lambda catalog, events: [], _react, changes=lambda catalog: ["challenge.expired"])


@pytest.mark.django_db(transaction=True)
def test_statements_do_not_grow_with_the_number_of_rows(fixed, queries):
    enrol_all(fixed, *[f"user_{number}" for number in range(10)])
    sweep(NOW)

    with queries(1 + 2 + 3 + 2):  # challenges; due rows, twice; lock, version and rows; outbox and rows
        assert sweep(END) == 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.two_connections
def test_parallel_sweeps_announce_once(fixed):
    people = [f"user_{number}" for number in range(50)]
    enrol_all(fixed, *people)

    answers = all_at_once([lambda: sweep(END)] * 3)
    sweep(END)

    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert sorted(person for person, _ in announced()) == sorted(people)


@pytest.mark.django_db(transaction=True)
@pytest.mark.two_connections
def test_locked_participants_are_left_to_the_next_sweep(fixed):
    enrol_all(fixed, "ada", "bob")

    with unit_of_work(Tenant.objects.get(pk=fixed.tenant_id), ["ada"], now=END):
        (looked_at,) = all_at_once([lambda: sweep(END)])

    assert looked_at == 1
    assert announced() == [("bob", "fixed")]
    sweep(END)
    assert announced() == [("bob", "fixed"), ("ada", "fixed")]
