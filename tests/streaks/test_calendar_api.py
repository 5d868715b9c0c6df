"""The calendar of a participant's streak."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from participants.services import participants
from streaks.services import create_streak, record
from tests.client import refusal, refused_fields

NOW = datetime(2026, 2, 14, 8, 15, tzinfo=UTC)
DAY = timedelta(days=1)
CALENDAR = "/participants/user_42/streaks/daily_login/calendar"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def define(tenant, code="daily_login", **data):
    row = create_streak(tenant=tenant, data={"code": code, "name": code, "event_types": [code], **data}, now=NOW)
    tenant.refresh_from_db()
    return row


def tick(tenant, *ages, code="daily_login"):
    for age in sorted(ages, reverse=True):
        record(tenant=tenant, participant_id="user_42", streak_code=code, at=NOW - age * DAY, now=NOW)


def seen(answer):
    return {
        window["key"]: (window["satisfied"], window["grace"], window["count"]) for window in answer.json()["windows"]
    }


def test_each_window_has_its_result_and_the_length_of_the_run(api, tenant, queries):
    define(tenant, grace_periods=1)
    tick(tenant, 5, 4, 2, 1)
    api.get(CALENDAR)

    with queries(3):
        answer = api.get(f"{CALENDAR}?from=2026-02-08&to=2026-02-15")

    assert answer.status_code == 200
    assert answer.json()["windows"][1] == {
        "key": "2026-02-09",
        "start": "2026-02-09T00:00:00Z",
        "end": "2026-02-10T00:00:00Z",
        "satisfied": True,
        "excused": False,
        "grace": False,
        "count": 1,
    }
    assert {name: answer.json()[name] for name in ("participant_id", "code", "period", "timezone")} == {
        "participant_id": "user_42",
        "code": "daily_login",
        "period": "daily",
        "timezone": "UTC",
    }
    assert seen(answer) == {
        "2026-02-08": (False, False, 0),
        "2026-02-09": (True, False, 1),
        "2026-02-10": (True, False, 2),
        "2026-02-11": (False, True, 2),
        "2026-02-12": (True, False, 3),
        "2026-02-13": (True, False, 4),
        "2026-02-14": (False, False, 4),
        "2026-02-15": (False, False, 0),
    }


def test_an_excused_window_is_labelled(api, admin_api, tenant):
    define(tenant)
    tick(tenant, 2)
    body = {"from": "2026-02-13", "to": "2026-02-13", "reason": "Ill"}
    admin_api.post("/admin/participants/user_42/streaks/daily_login/freeze", body)

    windows = api.get(f"{CALENDAR}?from=2026-02-13&to=2026-02-13").json()["windows"]

    assert [(window["excused"], window["grace"], window["count"]) for window in windows] == [(True, False, 1)]


def test_the_default_is_the_last_thirty_days(api, tenant):
    define(tenant)

    keys = list(seen(api.get(CALENDAR)))

    assert (keys[0], keys[-1], len(keys)) == ("2026-01-16", "2026-02-14", 30)


def test_an_unknown_participant_has_an_empty_calendar_and_is_not_created(api, tenant, nothing_written):
    define(tenant)

    with nothing_written():
        answer = api.get("/participants/nobody/streaks/daily_login/calendar?from=2026-02-13")

    assert seen(answer) == {"2026-02-13": (False, False, 0), "2026-02-14": (False, False, 0)}


def test_weeks_months_and_hours_that_overlap_the_dates_are_shown(api, tenant):
    for period in ("weekly", "monthly", "hourly"):
        define(tenant, period, period=period)
    path = "/participants/user_42/streaks/{}/calendar?from=2026-01-31&to=2026-02-01"

    keys = {period: list(seen(api.get(path.format(period)))) for period in ("weekly", "monthly", "hourly")}

    assert keys["weekly"] == ["2026-W05"]
    assert keys["monthly"] == ["2026-01", "2026-02"]
    assert (len(keys["hourly"]), keys["hourly"][0], keys["hourly"][-1]) == (48, "2026-01-31T00", "2026-02-01T23")


def test_a_rolling_streak_shows_the_windows_of_its_run(api, tenant):
    define(tenant, "rolling", period="rolling", duration_seconds=86_400)
    path = "/participants/user_42/streaks/rolling/calendar"
    assert seen(api.get(path)) == {}
    tick(tenant, 2, 1, code="rolling")

    assert seen(api.get(path)) == {
        "2026-02-12T08:15:00Z": (True, False, 1),
        "2026-02-13T08:15:00Z": (True, False, 2),
        "2026-02-14T08:15:00Z": (False, False, 2),
    }


def test_a_day_that_a_zone_skipped_is_not_shown(api, tenant):
    define(tenant, timezone="Pacific/Apia")

    keys = list(seen(api.get(f"{CALENDAR}?from=2011-12-29&to=2011-12-31")))

    assert keys == ["2011-12-29", "2011-12-31"]


def test_the_days_of_a_travelling_participant_remain_local_dates(api, tenant):
    define(tenant, timezone="participant")
    participants.register(tenant=tenant, external_id="user_42", changes={"timezone": "Asia/Tokyo"}, now=NOW)
    tick(tenant, 0)  # 17:15 on the 14th in Tokyo

    later = NOW + timedelta(hours=8)  # 01:15 on the 15th in Tokyo, 06:15 on the 14th in Honolulu
    with time_machine.travel(later, tick=False):
        api.patch("/participants/user_42", {"timezone": "Pacific/Honolulu"})
        again = api.post("/streaks/record", {"participant_id": "user_42", "streak_code": "daily_login"}).json()
        calendar = api.get(f"{CALENDAR}?from=2026-02-14&to=2026-02-15")

    assert (again["already_recorded"], again["new_count"]) == (True, 1)
    assert calendar.json()["timezone"] == "Pacific/Honolulu"
    assert seen(calendar) == {"2026-02-14": (True, False, 1), "2026-02-15": (False, False, 1)}  # the 15th had begun


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=soon", "from"),
        ("to=2026-02-30", "to"),
        ("from=2026-02-14&to=2026-02-13", "to"),
        ("from=2025-01-01&to=2026-02-14", "to"),
        ("from=1600-01-01", "from"),
    ],
)
def test_dates_that_do_not_validate_are_422(api, tenant, query, field):
    define(tenant)

    assert refused_fields(api.get(f"{CALENDAR}?{query}")) == [field]


def test_exactly_400_windows_can_be_asked_for(api, tenant):
    define(tenant)

    assert len(seen(api.get(f"{CALENDAR}?from=2025-01-11&to=2026-02-14"))) == 400


def test_missing_objects_are_404(api, other_api, tenant):
    define(tenant)
    define(tenant, "planned", status="draft")

    for client, code in ((api, "unknown"), (api, "planned"), (other_api, "daily_login")):
        answer = client.get(f"/participants/user_42/streaks/{code}/calendar")
        assert refusal(answer) == (404, "streak_not_found", f"Streak '{code}' not found")
