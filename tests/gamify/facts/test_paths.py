"""Paths with dots find the same property wherever a definition names a field (issue 14, cases/14-dots-inside-paths.json)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gamify.leaderboards.models import Leaderboard
from gamify.rules.selectors import replay
from tests.factories import EventFactory, ParticipantFactory, RuleFactory
from tests.gamify.leaderboards.boards import entries_of, fill

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
FIELD = "a.b.c"
SHAPES = pytest.mark.parametrize(
    "properties", [{"a.b": {"c": 2}}, {"a": {"b.c": 2}}, {"a.b.c": 2}, {"a": {"b": {"c": 2}}}]
)
ASKED = {"condition": {"field": FIELD, "operator": "eq", "value": 2}}
OBJECTIVE = {"code": "first", "label": "First", "event_types": ["buy"]}
WINDOW = {"type": "calendar", "period": "daily"}

pytestmark = SHAPES


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def buy(api, properties):
    def send():
        answer = api.post("/events", {"participant_id": "ada", "event_name": "buy", "properties": properties})
        assert answer.status_code == 200, answer.json()
        return [(each["type"], each.get("amount")) for each in answer.json()["rewards_granted"]]

    return send


@pytest.fixture
def defined(admin_api):
    def create(path, **body):
        answer = admin_api.post(f"/admin/{path}", {"code": "x", "name": "X", **body})
        assert answer.status_code == 201, answer.json()

    return create


@pytest.mark.parametrize("field", [FIELD, f"attrs.{FIELD}"])
def test_a_rules_expression_and_its_grant_find_it(defined, buy, field):
    when = {"event_types": ["buy"], "expression": {"condition": {"field": field, "operator": "eq", "value": 2}}}
    defined("rules", when=when, then=[{"type": "points", "field": field, "factor": 10}])

    assert buy() == [("points", 20)]


def test_a_rule_finds_it_among_the_participants_attributes(defined, buy, api, properties):
    api.post("/participants", {"participant_id": "ada", "attributes": properties})
    expression = {"condition": {"field": f"participant.{FIELD}", "operator": "eq", "value": 2}}
    grant = {"type": "points", "field": f"participant.{FIELD}"}
    defined("rules", when={"event_types": ["buy"], "expression": expression}, then=[grant])

    assert buy() == [("points", 2)]


def test_a_simulation_and_its_trace_find_it(defined, admin_api, properties):
    defined("rules", when={"event_types": ["buy"], "expression": ASKED}, then=[{"type": "points", "amount": 5}])

    answer = admin_api.post("/admin/rules/simulate", {"event": {"event_name": "buy", "properties": properties}}).json()

    ((condition,),) = [heard["conditions"] for heard in answer["trace"]["facts"][0]["heard"] if heard["type"] == "rule"]
    assert (condition["actual"], condition["holds"]) == (2, True)


def test_a_replay_finds_it(tenant, properties):
    event = {"name": "buy", "properties": properties, "occurred_at": NOW - timedelta(days=1)}
    EventFactory(participant=ParticipantFactory(tenant=tenant), **event)
    grants = [{"type": "points", "field": FIELD}]
    rule = RuleFactory.build(tenant=tenant, event_types=["buy"], expression=ASKED, grants=grants)

    (result,) = replay(tenant, [rule], since=NOW - timedelta(days=30), now=NOW).rules

    assert (result.totals.matched, result.totals.points) == (1, 2)


def test_a_badges_filter_and_sum_find_it(defined, buy):
    criteria = {"metric": "event_sum", "event_name": "buy", "field": FIELD, "filter": {FIELD: {"gte": 2}}, "min": 4}
    defined("badges", criteria=criteria)

    assert (buy(), buy()) == ([], [("badge", None)])


@pytest.mark.parametrize(
    "condition", [{"type": "sum", "field": FIELD, "min": 2}, {"type": "distinct", "field": FIELD, "min": 1}]
)
def test_an_objectives_expression_and_condition_find_it(defined, buy, condition):
    defined("challenges", objectives=[{**OBJECTIVE, "expression": ASKED, "condition": condition}])

    assert buy() == [("challenge", None)]


@pytest.mark.parametrize(
    "condition", [{"type": "sum", "field": FIELD, "min": 2}, {"type": "distinct", "field": FIELD, "min": 1}]
)
def test_a_streaks_expression_and_condition_find_it(tenant, admin_api, buy, condition):
    config = {"event_types": ["buy"], "expression": ASKED, "window": WINDOW, "condition": condition}
    admin_api.base = "/v1"
    admin_api.post(f"/tenants/{tenant.slug}/streaks", {"name": "X", "config": config})

    buy()

    (streak,) = admin_api.get(f"/streaks/{tenant.slug}/users/ada").json()["streaks"]
    assert (streak["current_count"], streak["current_window_satisfied"]) == (1, True)


def test_a_streaks_filter_finds_it(defined, buy, api):
    defined("streaks", fact_type="buy", fact_filter={FIELD: 2})

    buy()

    assert [each["current_count"] for each in api.get("/participants/ada/streaks").json()["streaks"]] == [1]


def test_a_boards_filters_and_sum_find_it_in_new_events_and_in_the_history(tenant, defined, buy, api, properties):
    api.post("/participants", {"participant_id": "ada", "attributes": properties})
    buy()
    selector = {"event_name": "buy", "field": FIELD, "filter": {FIELD: 2}}
    defined("leaderboards", metric="event_sum", selector=selector, participant_filter={FIELD: 2})
    fill(Leaderboard.objects.get(tenant=tenant), now=NOW)
    buy()

    assert entries_of(api, "x") == [(1, "ada", 4)]
