"""After a reversal, challenges are as if the event had never been recorded."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamify.challenges.models import Challenge, Enrolment
from gamify.challenges.selectors import enrolment_statuses
from gamify.challenges.services import enroll
from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit, reverse_event
from participants.catalog import bump_catalog_version, catalog_of
from participants.models import DomainEvent, Participant, Tenant
from participants.services.participants import anonymize
from tests.factories import BadgeFactory, ChallengeFactory, TenantFactory, objective

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)
TEN_POINTS = [{"type": "points", "amount": 10}]
EARNED_BY_ANOTHER = "Its grants belong to another event and are not taken back"


@pytest.fixture
def explorer(tenant):
    """Two logins, then a review; a badge at the end."""
    BadgeFactory(tenant=tenant, code="explorer")
    return ChallengeFactory(
        tenant=tenant,
        code="explorer",
        objectives=[objective("login", 2), objective("review", prerequisites=["login"])],
        completion_grants=[{"type": "badge", "code": "explorer"}],
    )


def fresh(tenant):
    return Tenant.objects.get(pk=tenant.pk)


def send_event(tenant, name, *, at=NOW, **properties):
    return emit(tenant=fresh(tenant), event=EventInput("ada", name, at, properties), now=max(at, NOW)).event_id


def undone(tenant, event_id, *, now=NOW):
    """What the answer reports about challenges: (type, reason why it was not taken back)."""
    answer = reverse_event(tenant=fresh(tenant), event_id=str(event_id), reason=None, now=now)
    return [(each["type"], each.get("kept")) for each in answer.undone if each["type"].startswith("challenge")]


def current_status(tenant, *, now=NOW):
    tenant = fresh(tenant)
    person = Participant.objects.filter(tenant=tenant).first()
    [found] = enrolment_statuses(person, catalog_of(tenant), now=now)
    return found.status, found.state and found.state.completions, found.state and sorted(found.state.done)


def test_an_objective_and_a_completion_reached_by_the_event_are_open_again(tenant, explorer):
    _, _, last = [send_event(tenant, name) for name in ("login", "login", "review")]
    assert current_status(tenant) == ("completed", 1, ["login", "review"])

    assert undone(tenant, last) == [("challenge", None)]

    assert current_status(tenant) == ("active", 0, ["login"])
    ada = Participant.objects.get()
    assert (ada.challenges_completed, ada.badge_count) == (0, 0)
    data = DomainEvent.objects.get(type="challenge.set_back").data
    assert data == {
        "participant_id": "ada",
        "challenge_code": "explorer",
        "challenge_name": "Explorer",
        "objectives": ["review"],
        "completions": 0,
        "total_completed": 0,
    }


def test_progress_goes_down(tenant, explorer):
    send_event(tenant, "login")
    second = send_event(tenant, "login")

    assert undone(tenant, second) == [("challenge_progress", None)]

    assert Enrolment.objects.get().progress == {"login": [1, "0", []]}


def test_an_enrolment_that_only_the_event_started_is_removed(tenant, explorer):
    assert undone(tenant, send_event(tenant, "login")) == [("challenge_progress", None)]

    assert not Enrolment.objects.exists()
    assert current_status(tenant) == ("available", None, None)


def test_an_enrolment_on_request_stays(tenant, explorer):
    enroll(tenant=tenant, participant_id="ada", code="explorer", now=NOW - DAY)

    undone(tenant, send_event(tenant, "login"))

    row = Enrolment.objects.get()
    assert (row.enrolled_at, row.progress) == (NOW - DAY, {})


def test_a_later_event_replaces_the_reversed_one(tenant, explorer):
    first, *_ = [send_event(tenant, "login") for _ in range(3)]

    assert undone(tenant, first) == []

    assert current_status(tenant) == ("active", 0, ["login"])


def test_an_event_before_the_prerequisite_does_not_count_any_more(tenant, explorer):
    first, *_ = [send_event(tenant, name) for name in ("login", "login", "review", "login")]

    results = undone(tenant, first)

    assert results == [("challenge", None), ("challenge", EARNED_BY_ANOTHER)]
    assert current_status(tenant) == ("active", 0, ["login"])
    assert Participant.objects.get().badge_count == 1


def test_a_milestone_that_others_reach_too_stays_and_is_not_granted_again(tenant):
    ChallengeFactory(tenant=tenant, completion_grants=TEN_POINTS)
    first, _ = send_event(tenant, "login"), send_event(tenant, "login")

    [(kind, why), *_] = undone(tenant, first)

    assert (kind, why[:31]) == ("challenge", "It is reached without the event")
    assert current_status(tenant) == ("completed", 1, ["login"])


def test_a_lapsed_round_is_not_open_again(tenant):
    ChallengeFactory(tenant=tenant, duration_type="fixed", starts_at=NOW - DAY, ends_at=NOW + DAY)
    enroll(tenant=tenant, participant_id="ada", code=Challenge.objects.get().code, now=NOW)
    event_id = send_event(tenant, "login")

    undone(tenant, event_id, now=NOW + 2 * DAY)

    assert current_status(tenant, now=NOW + 2 * DAY) == ("expired", 0, [])


def test_after_a_change_of_the_challenge_the_progress_stays_and_the_answer_says_so(tenant, explorer):
    _, second = send_event(tenant, "login"), send_event(tenant, "login")
    Challenge.objects.update(objectives=[objective("login", 5)])
    bump_catalog_version(tenant)

    [(kind, why)] = undone(tenant, second)

    assert (kind, why[:31]) == ("challenge_progress", "The challenge was changed since")
    assert Enrolment.objects.get().done == ["login"]


def test_the_progress_of_anonymized_participants_stays(tenant, explorer):
    event_id = send_event(tenant, "login")
    anonymize(tenant=tenant, external_id="ada", now=NOW)

    answer = reverse_event(tenant=fresh(tenant), event_id=str(event_id), reason=None, now=NOW)

    assert [each["type"] for each in answer.undone] == ["event"]
    assert Enrolment.objects.exists()


OBJECTIVES = st.sampled_from(
    [
        [objective("a", 2)],
        [objective("a", 2), objective("b", prerequisites=["a"])],
        [objective("a", 40, type="sum", of={"field": "n"}), objective("b", 2)],
        [objective("a", 2, type="distinct", of={"field": "n"}), objective("b", 3, prerequisites=["a"])],
    ]
)
TERMS = st.sampled_from(
    [{}, {"duration_type": "rolling", "duration_days": 3}, {"is_repeatable": True}, {"enrolment": "manual"}]
) | st.just({"duration_type": "rolling", "duration_days": 2, "is_repeatable": True})
EVENTS = st.tuples(st.sampled_from("ab"), st.integers(-3, 3), st.integers(1, 30))


@pytest.mark.django_db
@settings(max_examples=25, deadline=None)
@given(objectives=OBJECTIVES, terms=TERMS, history=st.lists(EVENTS, min_size=1, max_size=9), data=st.data())
def test_after_any_reversal_challenges_are_as_if_the_event_had_never_been_sent(objectives, terms, history, data):
    tenant, undisturbed = TenantFactory(), TenantFactory()
    for each in (tenant, undisturbed):
        ChallengeFactory(tenant=each, code="c", objectives=objectives, **terms)
        if terms.get("enrolment"):
            enroll(tenant=each, participant_id="ada", code="c", now=NOW - 2 * DAY)
    place = data.draw(st.integers(0, len(history) - 1))

    ids = [send_event(tenant, name, at=NOW + day * DAY, n=number) for name, day, number in history]
    undone(tenant, ids[place], now=NOW + 5 * DAY)
    for name, day, number in history[:place] + history[place + 1 :]:
        send_event(undisturbed, name, at=NOW + day * DAY, n=number)

    states = [Enrolment.objects.filter(tenant=each).first() for each in (tenant, undisturbed)]
    assert len({None if row is None else repr(row.state) for row in states}) == 1
    completed = [
        Participant.objects.get(tenant=each).challenges_completed for each in (tenant, undisturbed) if len(history) > 1
    ]
    assert len(set(completed)) <= 1
