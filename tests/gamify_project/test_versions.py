"""The versions of every kind of definition: readable differences, and the way back."""

from typing import Any

import pytest
from django.contrib import admin

from gamify.facts.models import Event
from participants.admin.definitions import DefinitionAdmin
from participants.models import ConfigurationChange
from tests.console import Console, text_of
from tests.factories import objective

BIG = {"condition": {"field": "amount", "operator": "gte", "value": 100}}
KINDS: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]], str]] = {
    # model: (path, body, changes, words of a difference)
    "badges_badge": (
        "badges",
        {"code": "c", "name": "First"},
        [{"criteria": {"metric": "balance", "min": 50}}, {"name": "Second", "icon_url": "https://x.example/a.png"}],
        "https://x.example/a.png",
    ),
    "points_boost": (
        "boosts",
        {"code": "c", "name": "First", "multiplier": 2, "starts_at": "2026-01-01T00:00:00Z"},
        [{"multiplier": 1.5, "starts_at": "2026-02-01T00:00:00Z", "ends_at": "2026-03-01T00:00:00Z"}],
        "1.5",
    ),
    "challenges_challenge": (
        "challenges",
        {"code": "c", "name": "First", "objectives": [objective("buy")], "completion": "all"},
        [
            {
                "objectives": [objective("buy", 3), objective("visit")],
                "completion": 1,
                "completion_grants": [{"type": "points", "amount": 5}],
                "duration_type": "rolling",
                "duration_days": 7,
            }
        ],
        "visit",
    ),
    "leaderboards_leaderboard": (
        "leaderboards",
        {"code": "c", "name": "First", "metric": "points_earned"},
        [{"metric": "event_count", "selector": {"event_name": "buy"}, "time_window": "weekly"}],
        "weekly",
    ),
    "rewards_reward": (
        "rewards",
        {"code": "c", "name": "First", "type": "coupon", "points_cost": 10},
        [{"points_cost": 20, "total_inventory": 5, "expires_at": "2199-01-01T00:00:00Z"}],
        "20",
    ),
    "rules_rule": (
        "rules",
        {"code": "c", "name": "First", "when": {"event_types": ["buy"]}, "then": [{"type": "points", "amount": 5}]},
        [
            {"when": {"event_types": ["buy"], "expression": BIG}, "limits": {"per_day": 2}},
            {"then": [{"type": "points", "amount": 9}], "is_active": False},
        ],
        "amount",
    ),
    "streaks_streak": (
        "streaks",
        {"code": "c", "name": "First", "fact_type": "buy"},
        [{"period": "weekly", "grace_periods": 2, "fact_filter": {"amount": {"gte": 100}}}, {"is_active": False}],
        "week",
    ),
    "tiers_tier": (
        "tiers",
        {"code": "c", "name": "First", "level": 1, "criteria_config": {"min_points": 100}},
        [{"level": 2, "criteria_config": {"min_points": 500, "basis": "lifetime"}, "points_multiplier": 1.25}],
        "500",
    ),
}


def test_every_kind_of_definition_is_tried():
    kinds = {
        f"{m._meta.app_label}_{m._meta.model_name}"
        for m, a in admin.site._registry.items()
        if isinstance(a, DefinitionAdmin)
    }

    assert set(KINDS) == kinds


@pytest.mark.parametrize("page", KINDS)
def test_reverting_makes_a_new_version_whose_answer_is_what_it_was(tenant, admin_api, page):
    path, body, edits, words = KINDS[page]
    row = admin_api.post(f"/admin/{path}", body).json()
    url = f"/admin/{path}/{row['id']}"
    first = admin_api.get(url).json()
    for edit in edits:
        answer = admin_api.patch(url, edit)
        assert answer.status_code == 200, answer.content
    last = admin_api.get(url).json()
    assert _settings(last) != _settings(first)
    console, newest = Console(tenant), len(edits) + 1

    shown = text_of(console.get(f"{page}_history", row["id"]))
    preview = console.post(f"{page}_revert", row["id"], version="1", change_reason="Oops")
    unchanged = admin_api.get(url).json()
    done = console.post(f"{page}_revert", row["id"], version="1", change_reason="Oops", confirmed="yes")

    assert words in shown.lower()
    assert preview.status_code == 200
    assert "data-preview" in text_of(preview)
    assert "Nothing differs" not in text_of(preview)
    assert unchanged == last
    assert done.status_code == 302
    assert _settings(admin_api.get(url).json()) == _settings(first)
    change = ConfigurationChange.objects.latest("id")
    assert (change.number, change.reason, change.actor_json["kind"]) == (newest + 1, "Oops", "staff")

    console.post(f"{page}_revert", row["id"], version=str(newest), confirmed="yes")

    assert _settings(admin_api.get(url).json()) == _settings(last)


def _settings(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without the time of the change."""
    return {name: value for name, value in answer.items() if name != "updated_at"}


def test_versions_are_paged(tenant, admin_api):
    badge = admin_api.post("/admin/badges", {"code": "c", "name": "Name 0"}).json()
    for number in range(1, 45):
        admin_api.patch(f"/admin/badges/{badge['id']}", {"name": f"Name {number}"})
    console = Console(tenant)

    pages = [text_of(console.get("badges_badge_history", badge["id"], p=page)) for page in (1, 2, 3)]

    assert "Page 1 of 3, 45 versions" in pages[0]
    assert "Name 43" in pages[0]
    assert "Version 25" in pages[1]
    assert "Created." in pages[2]


def test_a_definition_of_an_earlier_release_begins_with_version_1(tenant, admin_api):
    badge = admin_api.post("/admin/badges", {"code": "c", "name": "Old"}).json()
    ConfigurationChange.objects.all().delete()
    admin_api.patch(f"/admin/badges/{badge['id']}", {"name": "New"})
    console = Console(tenant)

    shown = text_of(console.get("badges_badge_history", badge["id"]))
    console.post("badges_badge_revert", badge["id"], version="1", confirmed="yes")

    assert "Made before versions were recorded." in shown
    assert admin_api.get(f"/admin/badges/{badge['id']}").json()["name"] == "Old"


def test_the_trace_of_an_event_names_the_version_that_decided(admin_api):
    body = {"code": "r", "name": "R", "when": {"event_types": ["buy"]}, "then": [{"type": "points", "amount": 5}]}
    rule = admin_api.post("/admin/rules", body).json()
    buy = {"participant_id": "ada", "event_name": "buy"}

    for amount in (5, 6, 7):
        admin_api.patch(f"/admin/rules/{rule['id']}", {"then": [{"type": "points", "amount": amount}]})
        admin_api.post("/events", buy)

    heard = [event.trace["facts"][0]["heard"][0] for event in Event.objects.order_by("id")]
    assert [(each["code"], each["version"]) for each in heard] == [("r", 1), ("r", 2), ("r", 3)]
