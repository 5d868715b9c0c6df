"""The fields for a metric, which badges and leaderboards share in the console."""

import pytest
from django.contrib import admin

from gamify.badges.models import Badge
from gamify.badges.services import create_badge
from gamify.leaderboards.models import Leaderboard
from streaks.services import create_streak
from tests.console import Console, errors_of, text_of

BADGE, BOARD = "badges_badge", "leaderboards_leaderboard"
CONDITION = {
    "selector_filter-shown": "{}",
    "selector_filter-field": "plan",
    "selector_filter-operator": "eq",
    "selector_filter-kind": "text",
    "selector_filter-value": "pro",
}
SUM = {"selector_event_name": "buy", "selector_field": "amount", **CONDITION}


def new(tenant, **fields) -> dict:
    common = {"code": "c", "name": "C", "is_active": "on", "display_order": "0", "opened_for": str(tenant.pk)}
    return {**common, **fields}


def test_a_badge_that_adds_up_a_property_is_defined(tenant):
    console = Console(tenant)

    answer = console.post(f"{BADGE}_add", **new(tenant, rarity="rare", metric="event_sum", minimum="2.5", **SUM))

    assert answer.status_code == 302
    assert Badge.objects.get().criteria == {
        "metric": "event_sum",
        "min": 2.5,
        "event_name": "buy",
        "field": "amount",
        "filter": {"plan": "pro"},
    }
    assert "sum of a property of events (buy): at least 2.5" in text_of(console.get(f"{BADGE}_changelist"))


def test_a_leaderboard_that_adds_up_a_property_is_defined(tenant):
    data = new(tenant, metric="event_sum", time_window="weekly", timezone="", **SUM)

    answer = Console(tenant).post(f"{BOARD}_add", **data, **{"participant_filter-shown": "{}"})

    row = Leaderboard.objects.get()
    assert answer.status_code == 302
    assert (row.metric, row.time_window) == ("event_sum", "weekly")
    assert row.selector == {"event_name": "buy", "field": "amount", "filter": {"plan": "pro"}}


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"metric": "event_count", "minimum": "3"}, "selector_event_name", "is required for event_count"),
        ({"metric": "streak_count", "minimum": "3"}, "selector_streak_code", "is required for streak_count"),
        ({"metric": "balance"}, "minimum", "is required"),
        ({"metric": "balance", "minimum": "0.5"}, "minimum", "must be a whole number"),
        (
            {"metric": "streak_count", "minimum": "3", "selector_streak_code": "none"},
            "selector_streak_code",
            "must be the code of a streak",
        ),
    ],
)
def test_criteria_that_the_api_refuses_are_refused_on_their_field(tenant, nothing_written, fields, field, message):
    console = Console(tenant)

    with nothing_written():
        answer = console.post(f"{BADGE}_add", **new(tenant, rarity="rare", **{"selector_filter-shown": "{}"}, **fields))

    assert errors_of(answer) == {field: [message]}


def test_criteria_are_edited_and_removed(tenant):
    create_streak(
        tenant=tenant, data={"code": "daily", "name": "Daily", "event_types": ["login"]}, now=tenant.created_at
    )
    tenant.refresh_from_db()
    console = Console(tenant)
    criteria = {"metric": "streak_count", "min": 3, "streak_code": "daily"}
    row = create_badge(tenant=tenant, data={"code": "c", "name": "C", "criteria": criteria}, now=tenant.created_at)

    console.edit(f"{BADGE}_change", row.pk, minimum="7")
    row.refresh_from_db()
    assert row.criteria == criteria | {"min": 7}

    console.edit(f"{BADGE}_change", row.pk, metric="")
    row.refresh_from_db()
    assert row.criteria is None


def test_selector_fields_are_shown_only_for_metrics_that_have_them():
    badge, board = (admin.site._registry[model].conditional_fields for model in (Badge, Leaderboard))

    assert badge["minimum"] == "metric != ''"
    assert badge["selector_field"] == board["selector_field"] == "metric == 'event_sum'"
    assert badge["selector_streak_code"] == "metric == 'streak_count'"
    assert board["selector_streak_code"] == "metric == 'streak_current' || metric == 'streak_longest'"


def test_leaderboards_are_filtered_by_metric(tenant):
    console = Console(tenant)
    empty = {"participant_filter-shown": "{}", "selector_filter-shown": "{}"}
    console.post(f"{BOARD}_add", **new(tenant, metric="points_balance", time_window="all_time", **empty))
    row = Leaderboard.objects.get()

    found = console.get(f"{BOARD}_changelist", metric="points_balance").context["cl"].result_list
    others = console.get(f"{BOARD}_changelist", metric="event_sum").context["cl"].result_list

    assert (list(found), list(others)) == ([row], [])
