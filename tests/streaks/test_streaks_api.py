"""Streaks through the Gamify API, with the documented examples."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from participants.models import DomainEvent, Participant
from streaks.models import ParticipantStreak
from streaks.services import create_streak
from tests.client import refused_fields

NOW = datetime(2026, 2, 14, 8, 15, tzinfo=UTC)
DAY = timedelta(days=1)
RECORD = "/streaks/record"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def daily_login(tenant):
    return create_streak(
        tenant=tenant, data={"code": "daily_login", "name": "Daily Login", "event_types": ["login"]}, now=NOW
    )


def tick(api, at=None, **body):
    body = {"participant_id": "user_42", "streak_code": "daily_login", **body}
    return api.post(RECORD, body if at is None else {**body, "timestamp": at.isoformat()})


def test_the_documented_three_days(api, daily_login):
    first = tick(api, NOW)
    again = tick(api, NOW)
    with time_machine.travel(NOW + DAY, tick=False):
        next_day = tick(api)

    keys = {"streak_code": "daily_login"}
    assert first.status_code == again.status_code == next_day.status_code == 200
    assert first.json() == {
        **keys,
        "new_count": 1,
        "is_new_record": True,
        "longest_count": 1,
        "already_recorded": False,
    }
    assert again.json() == {
        **keys,
        "new_count": 1,
        "is_new_record": False,
        "longest_count": 1,
        "already_recorded": True,
    }
    assert next_day.json() == {
        **keys,
        "new_count": 2,
        "is_new_record": True,
        "longest_count": 2,
        "already_recorded": False,
    }


def test_the_participants_streaks_have_the_documented_shape(api, daily_login):
    for age in (*range(40, 19, -1), *range(6, -1, -1)):
        tick(api, NOW - age * DAY)

    answer = api.get("/participants/user_42/streaks")

    assert answer.status_code == 200
    assert answer.json() == {
        "participant_id": "user_42",
        "streaks": [
            {
                "code": "daily_login",
                "name": "Daily Login",
                "current_count": 7,
                "longest_count": 21,
                "last_recorded_at": "2026-02-14T08:15:00Z",
                "is_at_risk": False,
                "period": "daily",
            }
        ],
    }


def test_an_unknown_code_is_404_and_writes_nothing(api, nothing_written):
    with nothing_written():
        answer = tick(api)

    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "Streak 'daily_login' not found", "code": "streak_not_found"},
    )


def test_an_inactive_streak_refuses_ticks_and_keeps_its_counts(api, admin_api, daily_login, nothing_written):
    tick(api)
    assert admin_api.delete(f"/admin/streaks/{daily_login.pk}").json() == {"message": "Streak deactivated"}

    with nothing_written():
        answer = tick(api, NOW)

    assert (answer.status_code, answer.json()) == (
        400,
        {"detail": "Streak 'daily_login' is not active", "code": "streak_inactive"},
    )
    assert api.get("/participants/user_42/streaks").json()["streaks"] == []
    admin_api.patch(f"/admin/streaks/{daily_login.pk}", {"is_active": True})
    assert api.get("/participants/user_42/streaks").json()["streaks"][0]["current_count"] == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"participant_id": ""}, "participant_id"),
        ({"streak_code": ""}, "streak_code"),
        ({"streak_code": "x" * 51}, "streak_code"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "2026-02-14T08:20:01Z"}, "timestamp"),
        ({"timestamp": "1969-12-31T23:59:59Z"}, "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp"),
    ],
)
def test_a_tick_that_does_not_validate_is_422_and_writes_nothing(api, daily_login, nothing_written, change, field):
    with nothing_written():
        answer = tick(api, **change)

    assert refused_fields(answer) == [field]


def test_a_naive_timestamp_is_utc(api, daily_login):
    tick(api, timestamp="2026-02-13T23:30:00")

    assert ParticipantStreak.objects.get().last_activity_at == datetime(2026, 2, 13, 23, 30, tzinfo=UTC)


def test_a_late_tick_joins_two_runs_and_last_recorded_stays_the_latest(api, daily_login):
    tick(api, NOW - 2 * DAY)
    tick(api, NOW)

    late = tick(api, NOW - DAY).json()

    assert (late["new_count"], late["longest_count"]) == (3, 3)
    assert api.get("/participants/user_42/streaks").json()["streaks"][0]["last_recorded_at"] == "2026-02-14T08:15:00Z"


def test_an_idempotency_key_is_respected(api, daily_login):
    first = api.post(
        RECORD, {"participant_id": "user_42", "streak_code": "daily_login"}, headers={"Idempotency-Key": "k"}
    )
    again = api.post(
        RECORD, {"participant_id": "user_42", "streak_code": "daily_login"}, headers={"Idempotency-Key": "k"}
    )

    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"


def test_windows_are_days_of_the_tenants_zone(api, tenant, daily_login):
    tenant.timezone = "America/New_York"
    tenant.save()

    assert tick(api, datetime(2026, 2, 14, 4, 59, tzinfo=UTC)).json()["new_count"] == 1  # the 13th in New York
    assert tick(api, datetime(2026, 2, 14, 5, 0, tzinfo=UTC)).json()["new_count"] == 2


def test_a_broken_streak_shows_0_without_a_sweep_and_is_at_risk_before(api, daily_login):
    tick(api, NOW - DAY)

    def shown(now):
        with time_machine.travel(now, tick=False):
            entry = api.get("/participants/user_42/streaks").json()["streaks"][0]
        return entry["current_count"], entry["longest_count"], entry["is_at_risk"]

    assert shown(datetime(2026, 2, 14, 19, 59, tzinfo=UTC)) == (1, 1, False)
    assert shown(datetime(2026, 2, 14, 20, 0, tzinfo=UTC)) == (1, 1, True)
    assert shown(datetime(2026, 2, 15, 0, 0, tzinfo=UTC)) == (0, 1, False)


def test_profile_and_state_show_the_best_live_streak(api, tenant, daily_login):
    create_streak(
        tenant=tenant, data={"code": "weekly", "name": "W", "event_types": ["w"], "period": "weekly"}, now=NOW
    )
    for age in (2, 1, 0):
        tick(api, NOW - age * DAY)
    tick(api, NOW - DAY, streak_code="weekly")

    assert api.get("/participants/user_42").json()["streaks"] == {
        "current": 3,
        "longest": 3,
        "last_activity_at": "2026-02-14T08:15:00Z",
    }
    assert api.get("/participants/user_42/state?include=streaks").json()["streaks"] == {"current": 3, "longest": 3}


def test_a_participant_without_ticks_has_null_in_the_profile_and_zeros_in_the_state(api, daily_login):
    api.post("/participants", {"participant_id": "user_42"})

    assert api.get("/participants/user_42").json()["streaks"] is None
    assert api.get("/participants/user_42/state").json()["streaks"] == {"current": 0, "longest": 0}
    assert api.get("/participants/nobody/streaks").json() == {"participant_id": "nobody", "streaks": []}


def test_another_tenant_sees_neither_the_definition_nor_the_counts(api, other_api, sandbox_api, daily_login):
    tick(api)

    for stranger in (other_api, sandbox_api):
        assert tick(stranger).status_code == 404
        assert stranger.get("/participants/user_42/streaks").json()["streaks"] == []


def test_a_new_tick_is_announced_once_with_the_documented_payload(api, daily_login):
    tick(api)
    tick(api)

    event = DomainEvent.objects.get(type="streak.incremented")
    assert event.data == {
        "participant_id": "user_42",
        "user_id": "user_42",
        "definition_id": str(daily_login.pk),
        "streak_code": "daily_login",
        "new_count": 1,
        "longest_count": 1,
    }


def test_query_counts(api, daily_login, queries):
    tick(api, NOW - DAY)
    api.get("/participants/user_42/streaks")

    with queries(6):  # key; lock, version, state; event, state. Nothing of the participant changes
        tick(api)
    with queries(3):  # key, participant, states
        api.get("/participants/user_42/streaks")


def test_deleting_a_participant_deletes_their_streaks(api, admin_api, daily_login):
    tick(api)

    admin_api.delete("/admin/participants/user_42")

    assert not ParticipantStreak.objects.exists()
    assert not Participant.objects.exists()


def test_the_participants_cap_refuses_a_tick_with_retry_after_and_writes_nothing(
    api, tenant, daily_login, nothing_written
):
    tenant.participant_writes_per_minute = 1
    tenant.save(update_fields=["participant_writes_per_minute"])
    tick(api)

    with nothing_written():
        answer = tick(api, NOW - DAY)

    assert (answer.status_code, answer.json()["code"]) == (429, "RATE_LIMIT_PARTICIPANT_EXCEEDED")
    assert int(answer.headers["Retry-After"]) >= 1


def test_the_list_of_definitions_has_the_documented_shape(admin_api, daily_login):
    listed = admin_api.get("/admin/streaks?is_active=true&page=1&page_size=50").json()

    assert {name: listed[name] for name in ("total", "page", "page_size")} == {"total": 1, "page": 1, "page_size": 50}
    assert set(listed["items"][0]) >= {
        "id", "tenant_id", "code", "name", "description", "fact_type", "fact_filter", "period", "grace_periods",
        "reset_on_miss", "icon_url", "color", "is_active", "display_order", "created_at", "updated_at",
    }  # fmt: skip
