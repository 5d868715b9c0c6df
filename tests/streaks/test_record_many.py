"""Histories that are recorded in bulk."""

from datetime import UTC, datetime, timedelta

import pytest

from participants.errors import InvalidInput
from participants.models import Participant
from streaks.models import ParticipantStreak
from streaks.services import StreakInactive, StreakNotFound, Tick, create_streak, record, record_many

NOW = datetime(2026, 2, 14, 8, 15, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def streaks(tenant):
    for code, period, is_active in (
        ("daily_login", "daily", True),
        ("weekly_review", "weekly", True),
        ("old", "daily", False),
    ):
        data = {"code": code, "name": code, "event_types": [code], "period": period, "is_active": is_active}
        create_streak(tenant=tenant, data=data, now=NOW)
    tenant.refresh_from_db()


def rows():
    rows = ParticipantStreak.objects.values_list("participant__external_id", "streak__code", "runs", "breaks_at")
    return sorted(rows, key=str)


def history():
    people = [(name, code) for name in ("ada", "bo") for code in ("daily_login", "weekly_review")]
    return [Tick(name, code, NOW - age * DAY) for age in (9, 8, 2, 1, 0, 1) for name, code in people]


def test_a_history_in_bulk_has_the_same_result_as_single_ticks(tenant, other_tenant):
    result = record_many(tenant=tenant, ticks=history(), now=NOW)
    in_bulk = rows()
    ParticipantStreak.objects.all().delete()

    one_by_one = [
        record(tenant=tenant, participant_id=each.participant_id, streak_code=each.streak_code, at=each.at, now=NOW)
        for each in history()
    ]

    assert rows() == in_bulk != []
    assert result == one_by_one


def test_a_repeated_history_changes_nothing(tenant):
    record_many(tenant=tenant, ticks=history(), now=NOW)
    before = rows()

    result = record_many(tenant=tenant, ticks=history(), now=NOW)

    assert rows() == before
    assert all(each.already_recorded for each in result)


@pytest.mark.parametrize(
    ("code", "at", "refusal"),
    [
        ("unknown", NOW, StreakNotFound),
        ("old", NOW, StreakInactive),
        ("daily_login", NOW + DAY, InvalidInput),
        ("daily_login", datetime(1969, 12, 31, tzinfo=UTC), InvalidInput),
    ],
)
def test_one_wrong_tick_refuses_them_all(tenant, code, at, refusal):
    with pytest.raises(refusal):
        record_many(tenant=tenant, ticks=[*history(), Tick("eve", code, at)], now=NOW)

    assert not Participant.objects.exists()
    assert rows() == []


def test_an_empty_history_is_accepted(tenant):
    assert record_many(tenant=tenant, ticks=[], now=NOW) == []


def test_a_hundred_participants_cost_as_many_statements_as_one(tenant, queries):
    record_many(tenant=tenant, ticks=[Tick("warm", "daily_login", NOW)], now=NOW)

    with queries(6):  # lock, version, rows; participants, events, streaks
        record_many(tenant=tenant, ticks=[Tick("one", "daily_login", NOW)], now=NOW)
    with queries(6):
        many = [Tick(f"user_{number}", "daily_login", NOW - age * DAY) for number in range(100) for age in range(5)]
        record_many(tenant=tenant, ticks=many, now=NOW)
