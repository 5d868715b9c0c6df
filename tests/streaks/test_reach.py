"""The number of participants that a change affects, before and after sweeps."""

from datetime import UTC, datetime, timedelta

import pytest

from streaks.selectors import Reach, reach_of
from streaks.selectors.due import BREAKS, RISKS
from streaks.services import create_streak, pause, record, resume, sweep

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
EVENING = datetime(2026, 3, 10, 22, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def streak(tenant):
    """A streak with three participants: one ticked today, one yesterday, and one has a broken run."""
    streak = make_streak(tenant, "daily_login")
    for participant_id, days in (("today", 0), ("yesterday", 1), ("long_ago", 5)):
        tick(tenant, participant_id, at=NOON - days * DAY)
    return streak


def make_streak(tenant, code):
    data = {"code": code, "name": code, "event_types": [code]}
    return create_streak(tenant=tenant, data=data, now=NOON - 10 * DAY)


def tick(tenant, participant_id, code="daily_login", *, at):
    record(tenant=tenant, participant_id=participant_id, streak_code=code, at=at, now=at)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NOON, Reach(participants=3, alive=2, at_risk=0)),
        (EVENING, Reach(participants=3, alive=2, at_risk=1)),
        (NOON + DAY, Reach(participants=3, alive=1, at_risk=0)),
        (NOON + 3 * DAY, Reach(participants=3, alive=0, at_risk=0)),
    ],
)
@pytest.mark.parametrize("is_swept", [False, True])
def test_the_numbers_are_the_same_before_and_after_a_sweep(tenant, streak, now, expected, is_swept):
    if is_swept:
        for kind in (BREAKS, RISKS):
            sum(sweep(tenant=tenant, kind=kind, now=now))

    assert reach_of(tenant, [streak.pk], now=now) == expected


@pytest.mark.parametrize("is_swept", [False, True])
def test_during_a_pause_live_runs_stay_alive_and_are_not_at_risk(tenant, streak, is_swept):
    pause(streak, tenant=tenant, now=EVENING)
    tenant.refresh_from_db()
    if is_swept:
        sum(sweep(tenant=tenant, kind=BREAKS, now=EVENING + 3 * DAY))

    assert reach_of(tenant, [streak.pk], now=EVENING) == Reach(participants=3, alive=2, at_risk=0)
    assert reach_of(tenant, [streak.pk], now=EVENING + 3 * DAY) == Reach(participants=3, alive=2, at_risk=0)


def test_a_pause_that_ended_excuses_no_later_windows(tenant, streak):
    pause(streak, tenant=tenant, now=EVENING)
    resume(streak, tenant=tenant, now=EVENING)

    assert reach_of(tenant, [streak.pk], now=EVENING) == Reach(participants=3, alive=2, at_risk=1)


def test_a_participant_in_two_streaks_counts_once(tenant, streak):
    other = make_streak(tenant, "lesson")
    tenant.refresh_from_db()
    tick(tenant, "today", "lesson", at=NOON)
    pause(other, tenant=tenant, now=NOON)

    assert reach_of(tenant, [streak.pk, other.pk], now=NOON) == Reach(participants=3, alive=2, at_risk=0)


def test_nothing_of_another_tenant_is_counted(tenant, other_tenant, streak):
    assert reach_of(other_tenant, [streak.pk], now=NOON) == Reach(participants=0, alive=0, at_risk=0)
    assert reach_of(tenant, [], now=NOON) == Reach(participants=0, alive=0, at_risk=0)


def test_the_numbers_need_two_queries(tenant, streak, queries):
    with queries(2):  # open pauses, the rows
        reach_of(tenant, [streak.pk], now=NOON)
