"""Periods and measures, without a database."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gamify.facts.engine.metrics import MetricKind
from gamify.leaderboards.engine.measures import MILLIONTHS, compile_measure
from gamify.leaderboards.engine.periods import (
    Kind,
    Period,
    local_day,
    period_from_code,
    period_from_key,
    period_on,
)
from gamify.leaderboards.engine.ranking.places import percentile
from participants.engine import start_of_day

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(
    ("kind", "day", "key"),
    [
        (Kind.YEARLY, date(2024, 2, 29), "2024"),
        (Kind.MONTHLY, date(2026, 12, 31), "2026-12"),
        (Kind.WEEKLY, date(2027, 1, 3), "2026-W53"),
        (Kind.WEEKLY, date(2027, 1, 4), "2027-W01"),
        (Kind.DAILY, date(2026, 2, 14), "2026-02-14"),
        (Kind.ALL_TIME, date(2026, 2, 14), "all_time"),
    ],
)
def test_the_key_and_the_code_of_a_period_lead_back_to_it(kind, day, key):
    period = period_on(kind, day)

    assert period.key == key
    assert period_from_key(kind, key) == period
    assert period_from_code(period.code) == period


def test_the_period_before_the_first_week_is_the_last_of_the_year_before():
    assert period_from_key(Kind.WEEKLY, "2027-W01").previous.key == "2026-W53"
    assert period_from_key(Kind.MONTHLY, "2026-01").previous.key == "2025-12"


def test_a_day_without_midnight_begins_when_the_clock_skips_it():
    zone = ZoneInfo("America/Sao_Paulo")  # at midnight of 4 November 2018 clocks went to 1 o'clock

    assert start_of_day(date(2018, 11, 4), zone) == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert local_day(datetime(2018, 11, 4, 2, 59, 59, tzinfo=UTC), zone) == date(2018, 11, 3)
    assert local_day(datetime(2018, 11, 4, 3, tzinfo=UTC), zone) == date(2018, 11, 4)


def test_a_day_stays_begun_when_clocks_go_back_across_midnight():
    zone = ZoneInfo("America/Havana")  # at 1 o'clock of 1 November 2026 clocks go back to midnight

    began = start_of_day(date(2026, 11, 1), zone)
    assert began == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert local_day(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), zone) == date(2026, 11, 1)


def test_a_day_on_which_clocks_go_forward_has_23_hours():
    start, end = period_from_key(Kind.DAILY, "2026-03-29").bounds(ZoneInfo("Europe/Berlin"))

    assert (end - start).total_seconds() == 23 * 3600


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (Kind.WEEKLY, "2026-W54"),
        (Kind.DAILY, "2026-02-29"),
        (Kind.MONTHLY, "2026-13"),
        (Kind.YEARLY, "0001"),
        (Kind.YEARLY, "9999"),
        (Kind.DAILY, "2026-2-14"),
        (Kind.WEEKLY, "2026-07"),
        (Kind.ALL_TIME, "2026"),
    ],
)
def test_a_key_that_names_no_period_gives_none(kind, key):
    assert period_from_key(kind, key) is None


def test_all_time_has_no_bounds():
    assert Period(Kind.ALL_TIME).bounds(ZoneInfo("UTC")) == (None, None)


@pytest.mark.parametrize(("rank", "total", "expected"), [(1, 1, 100.0), (2, 1250, 99.8), (1, 2, 50.0), (8, 8, 0.0)])
def test_percentile(rank, total, expected):
    assert percentile(rank, total) == expected


def test_a_sum_is_exact_to_a_millionth_and_ignores_values_that_are_not_numbers():
    counted = compile_measure("event_sum", MetricKind.EVENT_SUM, {"field": "order.total", "filter": {"plan": "pro"}})

    assert counted.amount({"plan": "pro", "order": {"total": 0.1}}) == MILLIONTHS // 10
    assert counted.display_score(3 * counted.amount({"plan": "pro", "order": {"total": 0.1}})) == 0.3
    for properties in ({"plan": "pro"}, {"plan": "pro", "order": {"total": "1"}}, {"order": {"total": 1}}):
        assert counted.amount(properties) == 0


def test_the_order_of_keys_in_a_selector_does_not_change_the_measure():
    one = compile_measure("event_count", MetricKind.EVENT_COUNT, {"event_name": "buy", "filter": {"a": 1, "b": 2}})
    other = compile_measure("event_count", MetricKind.EVENT_COUNT, {"filter": {"b": 2, "a": 1}, "event_name": "buy"})

    assert one.key == other.key
    assert one.key != compile_measure("event_count", MetricKind.EVENT_COUNT, {"event_name": "buy"}).key
