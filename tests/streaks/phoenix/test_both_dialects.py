"""One streak in two dialects: created in one, and read, ticked and changed in the other."""

import pytest

from streaks.models import Streak
from tests.client import phoenix_refusal
from tests.streaks.phoenix.happening import define, with_value

LIST = "/tenants/acme/streaks"
BOUGHT = {"condition": {"field": "plan", "operator": "eq", "value": "pro"}}
EITHER = {"or": [BOUGHT, {"condition": {"field": "amount", "operator": "gt", "value": 5}}]}


@pytest.fixture
def gamify(admin_api):
    """The other dialect, with an admin key."""
    return admin_api


def in_gamify(gamify, record):
    return gamify.get(f"/admin/streaks/{record['id']}").json()


def in_phoenix(admin, row):
    return admin.get(f"{LIST}/{row['id']}").json()


def gamify_streak(gamify, **given):
    answer = gamify.post("/admin/streaks", {"code": "daily_login", "name": "Daily Login", **given})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_phoenix_streak_is_visible_in_gamify(admin, gamify, tenant):
    record = define(admin, "Daily Login Streak", event_types=["user.login", "user.return"])

    seen = in_gamify(gamify, record)

    assert {name: seen[name] for name in ("code", "name", "fact_type", "fact_filter", "period", "is_active")} == {
        "code": "daily-login-streak",
        "name": "Daily Login Streak",
        "fact_type": "user.login,user.return",
        "fact_filter": None,
        "period": "daily",
        "is_active": True,
    }
    assert (seen["grace_periods"], seen["reset_on_miss"], seen["tenant_id"]) == (0, True, str(tenant.pk))


def test_a_streak_can_be_ticked_in_both_dialects(admin, gamify, query, happens):
    record = define(admin, "Daily Login Streak", condition={"type": "count", "min": 2})

    happens("user.login")
    recorded = gamify.post("/streaks/record", {"participant_id": "ada", "streak_code": "daily-login-streak"}).json()

    assert (recorded["new_count"], recorded["already_recorded"]) == (1, False)
    assert gamify.get("/participants/ada/streaks").json()["streaks"][0]["current_count"] == 1
    progress = query.get(f"/streaks/acme/users/ada/{record['id']}").json()
    assert (progress["current_count"], progress["current_window_progress"]["count"]) == (1, 2)


@pytest.mark.parametrize(
    ("window", "period"),
    [
        ({"period": "hourly"}, "hourly"),
        ({"period": "monthly"}, "monthly"),
        ({"type": "rolling", "duration_seconds": 60}, "rolling"),
    ],
)
def test_gamify_shows_every_kind_of_window_and_accepts_it_unchanged(admin, gamify, window, period):
    record = define(admin, window=window)
    seen = in_gamify(gamify, record)

    sent_back = gamify.patch(f"/admin/streaks/{record['id']}", seen).json()

    assert seen["period"] == sent_back["period"] == period
    assert in_phoenix(admin, record) == record


@pytest.mark.parametrize(("expression", "short"), [(BOUGHT, {"plan": "pro"}), (EITHER, None)])
def test_gamify_shows_a_filter_if_the_short_form_can_express_it(admin, gamify, expression, short):
    record = define(admin, expression=expression)

    seen = in_gamify(gamify, record)
    gamify.patch(f"/admin/streaks/{record['id']}", seen)

    assert seen["fact_filter"] == short
    assert in_phoenix(admin, record)["config"]["expression"] == expression


def test_a_gamify_streak_is_visible_in_phoenix(admin, gamify, query):
    row = gamify_streak(gamify, fact_type="login", fact_filter={"plan": "pro"}, grace_periods=2, description="x")

    seen = in_phoenix(admin, row)

    assert seen | {"created_at": ..., "updated_at": ...} == {
        "id": row["id"],
        "tenant_id": "acme",
        "name": "Daily Login",
        "description": "x",
        "status": "active",
        "config": {
            "event_types": ["login"],
            "expression": BOUGHT,
            "window": {"type": "calendar", "period": "daily", "timezone": "UTC", "reset_time": "00:00"},
            "condition": {"type": "count", "min": 1},
            "milestones": [],
        },
        "created_at": ...,
        "updated_at": ...,
    }
    assert query.get("/streaks/acme/definitions").json() == {"definitions": [seen]}


def test_phoenix_changes_a_gamify_streak_and_preserves_its_grace_code_and_look(admin, gamify):
    row = gamify_streak(gamify, grace_periods=2, reset_on_miss=False, color="#0891B2", fact_filter={"plan": "pro"})

    admin.patch(f"{LIST}/{row['id']}", {"name": "New", "config": with_value("window.period", "weekly")})

    after = gamify.get(f"/admin/streaks/{row['id']}").json()
    assert after | {"updated_at": ...} == row | {
        "name": "New",
        "fact_type": "user.login",
        "fact_filter": None,
        "period": "weekly",
        "grace_period_hours": 2 * 168,
        "updated_at": ...,
    }


def test_a_config_that_is_sent_back_unchanged_does_not_change_the_rules(admin, gamify):
    row = gamify_streak(gamify, fact_filter={"plan": "pro"}, grace_periods=1)
    seen = in_phoenix(admin, row)

    admin.patch(f"{LIST}/{row['id']}", {"config": seen["config"]})

    assert gamify.get(f"/admin/streaks/{row['id']}").json() == row
    streak = Streak.objects.get()
    assert (streak.revision, streak.timezone) == (1, None)  # it still follows the tenant's zone


def test_gamify_changes_a_phoenix_streak_and_preserves_other_settings(admin, gamify):
    milestones = [{"threshold": 7, "reward_item_id": None, "repeatable": True}]
    record = define(admin, milestones=milestones, at_risk_seconds=60, condition={"type": "count", "min": 3})

    gamify.patch(f"/admin/streaks/{record['id']}", {"period": "monthly", "fact_type": "a,b", "grace_periods": 3})

    config = with_value("window.period", "monthly", of=record["config"]) | {"event_types": ["a", "b"]}
    assert in_phoenix(admin, record)["config"] == config


@pytest.mark.parametrize(
    ("status", "is_active", "ticking"), [("active", True, 200), ("paused", False, 400), ("archived", False, 400)]
)
def test_a_status_of_phoenix_means_the_same_in_gamify(admin, gamify, status, is_active, ticking):
    record = define(admin, "Daily")
    admin.send("PUT", f"{LIST}/{record['id']}/status", {"status": status})

    ticked = gamify.post("/streaks/record", {"participant_id": "ada", "streak_code": "daily"})

    assert in_gamify(gamify, record)["is_active"] is is_active
    assert ticked.status_code == ticking


def test_gamify_lists_active_streaks_only_phoenix_paused_ones_too(admin, gamify, query, happens):
    record = define(admin)
    happens("user.login")

    gamify.patch(f"/admin/streaks/{record['id']}", {"is_active": False})

    assert gamify.get("/participants/ada/streaks").json()["streaks"] == []
    assert len(query.get("/streaks/acme/users/ada").json()["streaks"]) == 1
    assert in_phoenix(admin, record)["status"] == "paused"


def test_a_delete_in_gamify_archives(admin, gamify):
    record = define(admin)

    gamify.delete(f"/admin/streaks/{record['id']}")

    assert in_phoenix(admin, record)["status"] == "archived"


def test_the_rules_for_names_apply_only_to_phoenix(admin, gamify):
    define(admin, "Daily")

    twin = gamify_streak(gamify, name="Daily")
    odd = gamify_streak(gamify, code="odd", name="Daily! (new)")
    refused = admin.patch(f"{LIST}/{odd['id']}", {"name": "Daily"})

    assert phoenix_refusal(refused) == (409, "CONFLICT", "Streak with name 'Daily' already exists")
    assert admin.patch(f"{LIST}/{twin['id']}", {"name": "Daily", "description": "x"}).status_code == 200
    assert admin.patch(f"{LIST}/{odd['id']}", {"description": "x"}).json()["name"] == "Daily! (new)"
