"""Events tick streaks, through the API."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gamify.facts.engine.outcomes import GrantReport
from gamify.facts.services import grant_kinds
from participants.models import DomainEvent
from streaks.models import ParticipantStreak
from streaks.services import create_streak
from tests.client import refusal

NOW = datetime(2026, 2, 14, 8, 15, tzinfo=UTC)
DAY = timedelta(days=1)
REWARD = "550e8400-e29b-41d4-a716-446655440000"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def define(tenant, code="daily", **data):
    row = create_streak(tenant=tenant, data={"code": code, "name": code, "event_types": ["login"], **data}, now=NOW)
    tenant.refresh_from_db()
    return row


def event(name="login", *, at=NOW, user="user_42", key=None, **properties):
    body = {"participant_id": user, "event_name": name, "properties": properties, "timestamp": at.isoformat()}
    return body if key is None else {**body, "idempotency_key": key}


def emit(api, *args, **kwargs):
    answer = api.post("/events", event(*args, **kwargs))
    assert answer.status_code == 200, answer.content
    return answer.json()


def counts(api, user="user_42"):
    entries = api.get(f"/participants/{user}/streaks").json()["streaks"]
    return {entry["code"]: entry["current_count"] for entry in entries}


def test_an_event_ticks_the_streaks_of_its_type_and_no_other(api, tenant):
    define(tenant, "of_logins")
    define(tenant, "of_two", event_types=["purchase", "login"])
    define(tenant, "of_any", event_types=["*"])
    define(tenant, "of_purchases", event_types=["purchase"])
    define(tenant, "paused", is_active=False)

    emit(api)

    assert counts(api) == {"of_any": 1, "of_logins": 1, "of_two": 1}


def test_an_event_without_listeners_is_only_stored(api, tenant):
    define(tenant)

    emit(api, "video_watched")

    assert not ParticipantStreak.objects.exists()


@pytest.mark.parametrize(
    ("fields", "properties", "counts_it"),
    [
        ({"fact_filter": {"plan": "pro", "amount": {"gte": 10}}}, {"plan": "pro", "amount": 10}, True),
        ({"fact_filter": {"plan": "pro", "amount": {"gte": 10}}}, {"plan": "pro", "amount": 9.99}, False),
        ({"fact_filter": {"plan": "pro"}}, {}, False),
        ({"expression": {"condition": {"field": "attrs.game_mode", "operator": "ne", "value": "tutorial"}}}, {}, True),
        (
            {"expression": {"condition": {"field": "attrs.game_mode", "operator": "ne", "value": "tutorial"}}},
            {"game_mode": "tutorial"},
            False,
        ),
        ({"expression": {"condition": {"field": "participant.team", "operator": "eq", "value": "red"}}}, {}, True),
        ({"expression": {"condition": {"field": "participant.team", "operator": "eq", "value": "blue"}}}, {}, False),
    ],
)
def test_an_event_counts_if_it_matches_the_filter_or_the_expression(api, tenant, fields, properties, counts_it):
    define(tenant, **fields)
    api.post("/participants", {"participant_id": "user_42", "attributes": {"team": "red"}})

    emit(api, **properties)

    assert counts(api) == ({"daily": 1} if counts_it else {})


def test_a_malformed_filter_matches_nothing_and_does_not_affect_other_streaks(api, tenant):
    define(tenant, "unreadable", fact_filter={"plan": {"regex": ".*"}})
    define(tenant)

    emit(api, plan="pro")

    assert counts(api) == {"daily": 1}


def test_a_window_is_satisfied_when_the_sum_is_reached_in_any_order(api, tenant):
    define(tenant, condition={"type": "sum", "field": "attrs.points", "min": 0.3})

    for points in (0.1, True, "0.2", None, -5):
        emit(api, points=points)
    assert counts(api) == {"daily": 0}
    emit(api, points=0.2)

    assert counts(api) == {"daily": 1}  # as binary fractions, 0.1 + 0.2 is more than 0.3 and 0.2 + 0.1 is too


def test_a_window_is_satisfied_by_the_required_number_of_distinct_values(api, tenant):
    define(tenant, condition={"type": "distinct", "field": "mode", "min": 3})

    for mode in ("arcade", "arcade", 1, 1.0, None):
        emit(api, mode=mode)
    assert counts(api) == {"daily": 0}
    emit(api, mode=True)

    assert counts(api) == {"daily": 1}


def test_three_events_a_week_in_one_batch(api, tenant):
    define(tenant, period="weekly", condition={"type": "count", "min": 3})
    days = [NOW - age * DAY for age in (12, 11, 10, 4, 3, 2)]

    answer = api.post("/events/batch", {"events": [event(at=at) for at in reversed(days)]}).json()

    assert (answer["processed"], answer["failed"]) == (6, 0)
    assert counts(api) == {"daily": 2}


def test_a_repeated_event_counts_once(api, tenant):
    define(tenant, condition={"type": "count", "min": 2})

    first, again = emit(api, key="a"), emit(api, key="a")

    assert (first, counts(api)) == (again, {"daily": 0})


def test_a_late_event_joins_two_runs(api, tenant):
    define(tenant)
    for age in (3, 2, 0):
        emit(api, at=NOW - age * DAY)

    emit(api, at=NOW - DAY)

    assert counts(api) == {"daily": 4}


def test_streaks_with_sum_and_distinct_conditions_refuse_recorded_ticks(api, tenant, nothing_written):
    define(tenant, "points", condition={"type": "sum", "field": "points", "min": 500})
    define(tenant, "modes", condition={"type": "distinct", "field": "mode", "min": 2})

    with nothing_written():
        answers = [
            api.post("/streaks/record", {"participant_id": "u", "streak_code": code}) for code in ("points", "modes")
        ]

    for answer, code in zip(answers, ("points", "modes"), strict=True):
        detail = f"Streak '{code}' advances through events only: it looks at what they carry"
        assert refusal(answer) == (400, "streak_needs_events", detail)


def test_in_a_satisfied_window_events_count_and_recorded_ticks_do_not(api, tenant):
    define(tenant, condition={"type": "count", "min": 2})
    record = {"participant_id": "user_42", "streak_code": "daily"}

    answers = [api.post("/streaks/record", record).json() for _ in range(3)]
    emit(api)

    assert [answer["new_count"] for answer in answers] == [0, 1, 1]
    assert [answer["already_recorded"] for answer in answers] == [False, False, True]
    assert ParticipantStreak.objects.get().progress[str(NOW.toordinal())][0] == 3


@pytest.fixture
def rewards(monkeypatch):
    """Replace the grant kind `reward` by one that records its grants, and return the record."""
    given = []

    def give(work, participant, grant):
        given.append((participant.external_id, grant.spec["id"], grant.key))
        yield GrantReport("reward", "Gift", grant.source, id=grant.spec["id"])

    kind = replace(grant_kinds["reward"], give=give, problem=lambda tenant, spec: None)
    monkeypatch.setitem(grant_kinds._entries, "reward", kind)
    return given


def test_a_milestone_grants_its_reward_and_the_answer_contains_both(api, tenant, rewards):
    define(tenant, milestones=[{"threshold": 2, "reward_item_id": REWARD, "repeatable": False}])
    emit(api, at=NOW - DAY)

    granted = emit(api)["rewards_granted"]

    source = {"type": "streak", "code": "daily"}
    assert granted == [
        {"type": "streak_milestone", "code": "daily", "name": "daily", "amount": 2, "source": source},
        {"type": "reward", "id": REWARD, "name": "Gift", "source": source},
    ]
    assert [(who, what) for who, what, _ in rewards] == [("user_42", REWARD)]
    event = DomainEvent.objects.get(type="streak.milestone_reached").data
    assert (event["threshold"], event["reward_id"], event["user_id"]) == (2, REWARD, "user_42")


def test_milestones_are_paid_as_often_as_they_are_defined(api, tenant, rewards):
    idempotency, each = "550e8400-e29b-41d4-a716-446655440001", "550e8400-e29b-41d4-a716-446655440002"
    milestones = [
        {"threshold": 2, "reward_item_id": idempotency, "repeatable": False},
        {"threshold": 3, "reward_item_id": each, "repeatable": True},
    ]
    define(tenant, milestones=milestones)

    for age in (10, 9, 8, 7, 4, 3, 2):
        emit(api, at=NOW - age * DAY)
    emit(api, at=NOW - 2 * DAY)

    assert [what for _, what, _ in rewards] == [idempotency, each, each]


def test_late_ticks_that_join_runs_pay_nothing_twice(api, tenant, rewards):
    define(tenant, milestones=[{"threshold": 2, "reward_item_id": REWARD, "repeatable": True}])
    for age in (4, 3, 1, 0):
        emit(api, at=NOW - age * DAY)
    assert len(rewards) == 2  # each of the two runs has reached it

    emit(api, at=NOW - 2 * DAY)

    assert (counts(api), len(rewards)) == ({"daily": 5}, 2)


def test_a_reward_that_cannot_be_granted_does_not_refuse_the_event(api, tenant, rewards, monkeypatch):
    define(tenant, milestones=[{"threshold": 1, "reward_item_id": REWARD, "repeatable": False}])
    monkeypatch.delitem(grant_kinds._entries, "reward")

    granted = emit(api)["rewards_granted"]

    assert [given["type"] for given in granted] == ["streak_milestone"]
    assert counts(api) == {"daily": 1}


def test_streaks_of_another_tenant_do_not_react(api, other_api, tenant, other_tenant):
    define(other_tenant)

    emit(api)

    assert not ParticipantStreak.objects.exists()


def test_a_tick_costs_one_read_and_one_write(api, tenant, queries):
    emit(api)
    with queries(6):
        emit(api)
    for number in range(20):
        define(tenant, f"daily_{number}")
    emit(api)

    with queries(8):
        emit(api, at=NOW - DAY)
