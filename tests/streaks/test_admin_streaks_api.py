"""Streak definitions over the admin API, in the documented shapes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine

from participants.models import DomainEvent
from participants.services.tenants import update_tenant
from streaks.models import Streak, StreakRevision
from tests.client import refused_fields

NOW = datetime(2026, 2, 14, 8, 15, tzinfo=UTC)
DAY = timedelta(days=1)
LIST = "/admin/streaks"

SPEC = {
    "code": "daily_login",
    "name": "Daily Login",
    "fact_type": "login",
    "period": "daily",
    "grace_periods": 1,
    "reset_on_miss": True,
    "color": "#0891B2",
}


def test_create_answers_201_with_the_definition(admin_api, tenant):
    answer = admin_api.post(LIST, SPEC)

    body = answer.json()
    assert answer.status_code == 201
    assert {name: body[name] for name in SPEC} == SPEC
    assert body["tenant_id"] == str(tenant.pk)
    assert (body["description"], body["fact_filter"], body["icon_url"]) == (None, None, None)
    assert (body["is_active"], body["display_order"]) == (True, 0)
    assert admin_api.get(f"{LIST}/{body['id']}").json() == body


def test_the_other_example_of_the_spec_has_no_fact_type_and_grace_in_hours(admin_api):
    answer = admin_api.post(
        LIST,
        {
            "code": "daily_login",
            "name": "Daily Login Streak",
            "description": "Log in every day to build your streak",
            "period": "daily",
            "grace_period_hours": 24,
            "display_order": 1,
        },
    )

    body = answer.json()
    assert answer.status_code == 201
    assert (body["fact_type"], body["grace_periods"], body["grace_period_hours"]) == ("daily_login", 1, 24)


@pytest.mark.parametrize(
    ("period", "hours", "periods"),
    [("daily", 0, 0), ("daily", 1, 1), ("daily", 25, 2), ("weekly", 168, 1), ("weekly", 169, 2), ("monthly", 744, 1)],
)
def test_hours_of_grace_are_whole_periods_rounded_up(admin_api, period, hours, periods):
    answer = admin_api.post(LIST, {"code": "x", "name": "X", "period": period, "grace_period_hours": hours})

    assert answer.json()["grace_periods"] == periods


def test_a_taken_code_is_400_also_when_inactive(admin_api):
    created = admin_api.post(LIST, SPEC).json()
    admin_api.delete(f"{LIST}/{created['id']}")

    answer = admin_api.post(LIST, SPEC)

    assert (answer.status_code, answer.json()) == (
        400,
        {"detail": "Streak with code 'daily_login' already exists", "code": "streak_code_conflict"},
    )


@pytest.mark.parametrize("streak_id", [uuid4(), "not-a-uuid"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_id_is_404(admin_api, method, streak_id):
    answer = admin_api.send(method, f"{LIST}/{streak_id}", {} if method == "PATCH" else None)

    assert (answer.status_code, answer.json()) == (404, {"detail": "Streak not found", "code": "streak_not_found"})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "x" * 51}, "code"),
        ({"name": "x" * 101}, "name"),
        ({"fact_type": ""}, "fact_type"),
        ({"fact_filter": []}, "fact_filter"),
        ({"period": "yearly"}, "period"),
        ({"grace_periods": -1}, "grace_periods"),
        ({"grace_period_hours": -1}, "grace_period_hours"),
        ({"icon_url": "javascript:alert(1)"}, "icon_url"),
        ({"color": "x" * 21}, "color"),
        ({"display_order": 2**40}, "display_order"),
    ],
)
def test_a_definition_that_does_not_validate_is_422(admin_api, nothing_written, change, field):
    with nothing_written():
        answer = admin_api.post(LIST, SPEC | change)

    assert refused_fields(answer) == [field]


def test_patch_changes_what_is_given_and_never_the_code(admin_api):
    created = admin_api.post(LIST, SPEC).json()

    changed = admin_api.patch(f"{LIST}/{created['id']}", {"name": "New", "code": "other", "fact_type": "signin"}).json()

    assert [warning["field"] for warning in changed.pop("warnings")] == ["code"]
    assert changed == created | {"name": "New", "fact_type": "signin", "updated_at": changed["updated_at"]}


def test_delete_deactivates(admin_api):
    created = admin_api.post(LIST, SPEC).json()

    answer = admin_api.delete(f"{LIST}/{created['id']}")

    assert (answer.status_code, answer.json()) == (200, {"message": "Streak deactivated"})
    assert admin_api.get(f"{LIST}/{created['id']}").json()["is_active"] is False


def test_the_list_pages_filters_and_orders(admin_api, queries):
    for number in range(3):
        admin_api.post(LIST, SPEC | {"code": f"s{number}", "display_order": -number})
    gone = Streak.objects.get(code="s1")
    admin_api.delete(f"{LIST}/{gone.pk}")

    with queries(3):  # key, total, page
        page = admin_api.get(f"{LIST}?is_active=true&page=1&page_size=1").json()

    assert [item["code"] for item in page["items"]] == ["s2"]
    assert (page["total"], page["page"], page["page_size"]) == (2, 1, 1)
    assert admin_api.get(f"{LIST}?page=9").json()["items"] == []
    assert admin_api.get(f"{LIST}?is_active=maybe").status_code == 422


def test_the_scope_is_needed_and_other_tenants_see_nothing(api, admin_api, other_admin_api):
    created = admin_api.post(LIST, SPEC).json()

    refused = api.get(LIST)

    assert (refused.status_code, refused.json()["detail"]) == (403, "API key requires 'admin' scope")
    assert other_admin_api.get(LIST).json()["total"] == 0
    assert other_admin_api.get(f"{LIST}/{created['id']}").status_code == 404
    assert other_admin_api.post(LIST, SPEC).status_code == 201


def ticks(api, *days):
    for day in days:
        with time_machine.travel(NOW + day * DAY, tick=False):
            answer = api.post("/streaks/record", {"participant_id": "u", "streak_code": "daily_login"}).json()
    return answer


def shown(api, day):
    with time_machine.travel(NOW + day * DAY, tick=False):
        return api.get("/participants/u/streaks").json()["streaks"][0]


def test_a_change_of_grace_carries_the_count_over_and_does_not_revive_a_run(api, admin_api):
    created = admin_api.post(LIST, SPEC | {"grace_periods": 0}).json()
    ticks(api, 0, 1, 2)

    with time_machine.travel(NOW + 2 * DAY, tick=False):
        admin_api.patch(f"{LIST}/{created['id']}", {"grace_periods": 1})

    assert shown(api, 2)["current_count"] == 3
    assert shown(api, 4)["current_count"] == 3  # the new grace
    assert ticks(api, 2)["already_recorded"]  # the same day is not counted again
    assert ticks(api, 4)["new_count"] == 4
    with time_machine.travel(NOW + 9 * DAY, tick=False):
        admin_api.patch(f"{LIST}/{created['id']}", {"grace_periods": 30})
    assert (shown(api, 9)["current_count"], shown(api, 9)["longest_count"]) == (0, 4)
    assert StreakRevision.objects.count() == 2


def test_a_count_continues_after_a_change_from_days_to_weeks(api, admin_api):
    created = admin_api.post(LIST, SPEC).json()
    ticks(api, 0, 1, 2)

    with time_machine.travel(NOW + 2 * DAY, tick=False):
        admin_api.patch(f"{LIST}/{created['id']}", {"period": "weekly"})

    assert shown(api, 2)["current_count"] == 3
    assert ticks(api, 9)["new_count"] == 4


def test_a_change_of_the_name_does_not_begin_new_rules(admin_api):
    created = admin_api.post(LIST, SPEC).json()

    admin_api.patch(f"{LIST}/{created['id']}", {"name": "New", "grace_periods": SPEC["grace_periods"]})

    assert not StreakRevision.objects.exists()


def test_a_pause_of_any_length_breaks_nothing(api, admin_api):
    created = admin_api.post(LIST, SPEC | {"grace_periods": 0}).json()
    ticks(api, 0, 1, 2)

    with time_machine.travel(NOW + 2 * DAY, tick=False):
        admin_api.patch(f"{LIST}/{created['id']}", {"is_active": False})
    with time_machine.travel(NOW + 30 * DAY, tick=False):
        admin_api.patch(f"{LIST}/{created['id']}", {"is_active": True})

    assert shown(api, 31)["current_count"] == 3
    assert ticks(api, 31)["new_count"] == 4
    assert shown(api, 33)["current_count"] == 0


def test_nulls_for_what_cannot_be_null_mean_unchanged(admin_api):
    created = admin_api.post(LIST, SPEC).json()
    every_field = dict.fromkeys(("name", "fact_type", "period", "grace_periods", "reset_on_miss", "is_active"))

    changed = admin_api.patch(f"{LIST}/{created['id']}", {**every_field, "color": None}).json()

    assert changed == created | {"color": None, "updated_at": changed["updated_at"]}


def test_several_event_types_are_joined_by_commas(admin_api):
    created = admin_api.post(LIST, SPEC | {"fact_type": "login, signin"}).json()

    assert created["fact_type"] == "login,signin"
    assert Streak.objects.get().event_types == ["login", "signin"]
    assert admin_api.patch(f"{LIST}/{created['id']}", {"fact_type": "login,signin"}).json() == created


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York"])
def test_a_change_of_the_tenants_zone_does_not_break_a_live_streak(api, admin_api, tenant, zone):
    admin_api.post(LIST, SPEC | {"grace_periods": 0})
    ticks(api, 0, 1, 2)
    midday = NOW + 2 * DAY + timedelta(hours=4)

    tenant.timezone = zone
    update_tenant(tenant, now=midday)

    with time_machine.travel(midday, tick=False):
        assert api.get("/participants/u/streaks").json()["streaks"][0]["current_count"] == 3
        assert api.post("/streaks/record", {"participant_id": "u", "streak_code": "daily_login"}).json()[
            "new_count"
        ] in {3, 4}


def test_a_tick_from_before_a_change_of_the_rules_has_no_effect_and_emits_nothing(api, admin_api):
    created = admin_api.post(LIST, SPEC | {"grace_periods": 0}).json()
    ticks(api, 0, 1, 2)
    with time_machine.travel(NOW + 2 * DAY, tick=False):
        admin_api.patch(f"{LIST}/{created['id']}", {"grace_periods": 1})
    announced = DomainEvent.objects.filter(type="streak.incremented").count()

    with time_machine.travel(NOW + 2 * DAY, tick=False):
        late = {"participant_id": "u", "streak_code": "daily_login", "timestamp": (NOW - 40 * DAY).isoformat()}
        answer = api.post("/streaks/record", late).json()

    assert (answer["new_count"], answer["is_new_record"], answer["already_recorded"]) == (3, False, False)
    assert DomainEvent.objects.filter(type="streak.incremented").count() == announced
