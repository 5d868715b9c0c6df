"""How often a rule may fire: tables and properties."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamify.rules.engine.limits import NO_LIMITS, RETENTION, Limit, Limits, Tally, limit_reached, with_firing

pytestmark = pytest.mark.engine

SATURDAY = datetime(2026, 2, 14, 10, tzinfo=UTC)


def after(*times):
    tally = Tally()
    for at in times:
        tally = with_firing(tally, at=at, day=at.date())
    return tally


def limit_for(tally, at, **limits):
    return limit_reached(tally, Limits(**limits), at=at, day=at.date())


@pytest.mark.parametrize(
    ("fired_at", "limits", "at", "stopped_by"),
    [
        ([], {"ever": 1, "per_day": 1, "per_week": 1, "cooldown": timedelta(hours=1)}, SATURDAY, None),
        ([], {"ever": 0}, SATURDAY, Limit.EVER),
        ([], {"per_day": 0}, SATURDAY, Limit.PER_DAY),
        ([], {"per_week": 0}, SATURDAY, Limit.PER_WEEK),
        ([SATURDAY], {}, SATURDAY, None),
        ([SATURDAY], {"ever": 1}, SATURDAY + timedelta(days=400), Limit.EVER),
        ([SATURDAY], {"ever": 2}, SATURDAY, None),
        ([SATURDAY], {"per_day": 1}, SATURDAY + timedelta(hours=13, minutes=59), Limit.PER_DAY),
        ([SATURDAY], {"per_day": 1}, SATURDAY + timedelta(hours=14), None),
        ([SATURDAY], {"per_day": 1}, SATURDAY - timedelta(days=1), None),
        ([SATURDAY], {"per_week": 1}, SATURDAY - timedelta(days=5), Limit.PER_WEEK),
        ([SATURDAY], {"per_week": 1}, SATURDAY - timedelta(days=6), None),
        ([SATURDAY], {"per_week": 1}, SATURDAY + timedelta(days=1), Limit.PER_WEEK),
        ([SATURDAY], {"per_week": 1}, SATURDAY + timedelta(days=2), None),
        ([SATURDAY], {"cooldown": timedelta(hours=1)}, SATURDAY + timedelta(minutes=59), Limit.COOLDOWN),
        ([SATURDAY], {"cooldown": timedelta(hours=1)}, SATURDAY + timedelta(hours=1), None),
        ([SATURDAY], {"cooldown": timedelta(hours=1)}, SATURDAY - timedelta(minutes=59), Limit.COOLDOWN),
        ([SATURDAY], {"cooldown": timedelta(hours=1)}, SATURDAY - timedelta(days=9), Limit.COOLDOWN),
        ([SATURDAY, SATURDAY - timedelta(days=3)], {"cooldown": timedelta(hours=1)}, SATURDAY, Limit.COOLDOWN),
        ([SATURDAY], {"per_day": 1}, SATURDAY - RETENTION, None),
        ([SATURDAY], {"per_day": 9}, SATURDAY - RETENTION - timedelta(days=1), Limit.PER_DAY),
        ([SATURDAY], {"per_week": 9}, SATURDAY - RETENTION - timedelta(days=1), Limit.PER_WEEK),
        ([SATURDAY], {"ever": 9}, SATURDAY - timedelta(days=400), None),
        ([SATURDAY], {"ever": 1, "per_day": 1}, SATURDAY, Limit.EVER),
    ],
)
def test_the_limit_that_stops_a_firing(fired_at, limits, at, stopped_by):
    assert limit_for(after(*fired_at), at, **limits) is stopped_by


def test_a_week_at_the_turn_of_the_year_is_one_week():
    tally = after(datetime(2020, 12, 31, 12, tzinfo=UTC))

    assert limit_for(tally, datetime(2021, 1, 3, 12, tzinfo=UTC), per_week=1) is Limit.PER_WEEK  # both in 2020-W53
    assert limit_for(tally, datetime(2021, 1, 4, 12, tzinfo=UTC), per_week=1) is None


def test_limits_apply_once_one_of_them_is_set():
    assert not NO_LIMITS.is_binding
    assert not Limits().is_binding
    assert Limits(ever=0).is_binding


instants = st.datetimes(datetime(2025, 12, 1), datetime(2026, 3, 1), timezones=st.just(UTC))  # noqa: DTZ001 - of UTC


@given(st.lists(instants, min_size=1, max_size=60))
def test_the_stored_days_are_limited_and_exact_where_needed(times):
    tally = after(*times)
    newest = max(times).date()
    counted = Counter(at.date() for at in times)

    assert tally.total == len(times)
    assert tally.last_at == max(times)
    assert len(tally.days) <= RETENTION.days + 7
    assert {day: count for day, count in counted.items() if day >= newest - RETENTION}.items() <= tally.days.items()


@given(st.lists(instants, max_size=60), st.integers(0, 3), st.integers(0, 5))
def test_no_history_in_any_order_exceeds_a_limit(times, per_day, per_week):
    limits, let_through, tally = Limits(per_day=per_day, per_week=per_week), [], Tally()
    for at in times:
        if limit_reached(tally, limits, at=at, day=at.date()) is None:
            tally = with_firing(tally, at=at, day=at.date())
            let_through.append(at.date())

    assert max(Counter(let_through).values(), default=0) <= per_day
    assert max(Counter(day.isocalendar()[:2] for day in let_through).values(), default=0) <= per_week


@given(st.permutations([SATURDAY + timedelta(hours=step) for step in range(6)]))
def test_the_order_of_facts_does_not_matter(times):
    assert after(*times) == after(*sorted(times))


def test_days_that_are_no_longer_needed_are_dropped():
    tally = after(SATURDAY - timedelta(days=60), SATURDAY)

    assert dict(tally.days) == {date(2026, 2, 14): 1}
    assert tally.total == 2
