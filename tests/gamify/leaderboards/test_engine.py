"""Periods, ranges and measures, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamify.facts.engine.metrics import MetricKind
from gamify.leaderboards.engine.measures import MILLIONTHS, compile_measure
from gamify.leaderboards.engine.periods import (
    Kind,
    Period,
    local_day,
    period_from_code,
    period_from_key,
    period_on,
    start_of_day,
)
from gamify.leaderboards.engine.places import WORST_PLACE, Move, percentile
from gamify.leaderboards.engine.ranges import GROUP, LEAF, MAX_GROUP, MAX_LEAF, Range, Ranges

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
def test_a_period_is_named_and_found_again(kind, day, key):
    period = period_on(kind, day)

    assert period.key == key
    assert period_from_key(kind, key) == period
    assert period_from_code(period.code) == period


def test_the_period_before_the_first_week_is_the_last_of_the_year_before():
    assert period_from_key(Kind.WEEKLY, "2027-W01").previous.key == "2026-W53"
    assert period_from_key(Kind.MONTHLY, "2026-01").previous.key == "2025-12"


def test_a_day_begins_when_there_is_no_midnight():
    zone = ZoneInfo("America/Sao_Paulo")  # at midnight of 4 November 2018 clocks went to 1 o'clock

    assert start_of_day(date(2018, 11, 4), zone) == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert local_day(datetime(2018, 11, 4, 2, 59, 59, tzinfo=UTC), zone) == date(2018, 11, 3)
    assert local_day(datetime(2018, 11, 4, 3, tzinfo=UTC), zone) == date(2018, 11, 4)


def test_a_day_that_has_begun_goes_on_when_clocks_go_back_across_midnight():
    zone = ZoneInfo("America/Havana")  # at 1 o'clock of 1 November 2026 clocks go back to midnight

    began = start_of_day(date(2026, 11, 1), zone)
    assert began == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert local_day(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), zone) == date(2026, 11, 1)


def test_a_day_of_a_change_of_clocks_has_23_or_25_hours():
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
def test_what_names_no_period_is_none(kind, key):
    assert period_from_key(kind, key) is None


def test_all_time_has_no_bounds():
    assert Period(Kind.ALL_TIME).bounds(ZoneInfo("UTC")) == (None, None)


@pytest.mark.parametrize(("rank", "total", "expected"), [(1, 1, 100.0), (2, 1250, 99.8), (1, 2, 50.0), (8, 8, 0.0)])
def test_a_percentile(rank, total, expected):
    assert percentile(rank, total) == expected


def test_a_sum_is_exact_to_a_millionth_and_nothing_is_added_by_what_is_no_number():
    counted = compile_measure("event_sum", MetricKind.EVENT_SUM, {"field": "order.total", "filter": {"plan": "pro"}})

    assert counted.amount({"plan": "pro", "order": {"total": 0.1}}) == MILLIONTHS // 10
    assert counted.display_score(3 * counted.amount({"plan": "pro", "order": {"total": 0.1}})) == 0.3
    for properties in ({"plan": "pro"}, {"plan": "pro", "order": {"total": "1"}}, {"order": {"total": 1}}):
        assert counted.amount(properties) == 0


def test_the_same_selector_is_the_same_measure_in_whatever_order_it_is_said():
    one = compile_measure("event_count", MetricKind.EVENT_COUNT, {"event_name": "buy", "filter": {"a": 1, "b": 2}})
    other = compile_measure("event_count", MetricKind.EVENT_COUNT, {"filter": {"b": 2, "a": 1}, "event_name": "buy"})

    assert one.key == other.key
    assert one.key != compile_measure("event_count", MetricKind.EVENT_COUNT, {"event_name": "buy"}).key


scores = st.lists(st.one_of(st.integers(0, 3), st.integers(0, 10**9)), min_size=1, max_size=40)


@settings(deadline=None, max_examples=20)
@given(batches=st.lists(scores, min_size=1, max_size=6), kept=st.integers(1, 7))
def test_ranges_count_every_place_whoever_comes_and_goes(batches, kept):
    ranges, held, number = Ranges.from_stored([]), [], 0
    for batch in batches:
        places = [(score, -index, UUID(int=number + index)) for index, score in enumerate(batch * 60)]
        number += len(places)
        gone = held[::kept]
        held = sorted({*held, *places} - {*gone})
        ranges.apply([*(Move(None, place) for place in places), *(Move(place, None) for place in gone)])
        for low, end in list(ranges.oversized_leaves()):
            ranges.split(low, [place for place in held if low <= place and (end is None or place < end)])
        ranges.rearrange()
        ranges = Ranges.from_stored([*ranges.leaves, *ranges.groups])

        _check(ranges, held)
        assert len(ranges.groups) == 1 or len(ranges.leaves) > MAX_GROUP // 4


@settings(deadline=None, max_examples=20)
@given(batches=st.lists(scores, min_size=1, max_size=6), kept=st.integers(1, 7))
def test_a_part_of_the_ranges_does_for_the_places_that_it_holds(batches, kept):
    """Only the leaves that are concerned are read; where one is split or joined, those of its group and of the one before."""
    leaves, groups, held, number = [Range(LEAF, WORST_PLACE, 0)], [Range(GROUP, WORST_PLACE, 0)], [], 0
    for batch in batches:
        places = [(score, -index, UUID(int=number + index)) for index, score in enumerate(batch * 60)]
        number += len(places)
        gone = held[::kept]
        held = sorted({*held, *places} - {*gone})
        concerned = {max(leaf.low for leaf in leaves if leaf.low <= place) for place in [*places, *gone]}
        ranges = Ranges([leaf for leaf in leaves if leaf.low in concerned], groups)
        ranges.apply([*(Move(None, place) for place in places), *(Move(place, None) for place in gone)])
        for run in ranges.groups_to_rearrange():
            low, end = ranges.span(*run)
            within = [leaf for leaf in leaves if low <= leaf.low and (end is None or leaf.low < end)]
            part = ranges.section(*run, within)
            for start, stop in list(part.oversized_leaves()):
                part.split(start, [place for place in held if start <= place and (stop is None or place < stop)])
            part.rearrange()
            leaves = sorted([*(leaf for leaf in leaves if leaf not in within), *part.leaves], key=lambda each: each.low)
            groups = sorted({*groups, *part.groups} - {*part.removed}, key=lambda each: each.low)
        stored = Ranges.from_stored([replace(each, stored=each.count) for each in (*leaves, *groups)])
        leaves, groups = stored.leaves, stored.groups

        _check(stored, held)


def _check(ranges: Ranges, held: list) -> None:
    for level, found in ((LEAF, ranges.leaves), (GROUP, ranges.groups)):
        ends = [*(each.low for each in found[1:]), None]
        for each, end in zip(found, ends, strict=True):
            assert each.count == sum(each.low <= place and (end is None or place < end) for place in held), level
    assert max(leaf.count for leaf in ranges.leaves) <= MAX_LEAF
    assert {group.low for group in ranges.groups} <= {leaf.low for leaf in ranges.leaves}
    assert max(map(len, _leaves_by_group(ranges))) <= MAX_GROUP


def _leaves_by_group(ranges: Ranges) -> list[list]:
    ends = [*(each.low for each in ranges.groups[1:]), None]
    return [
        [leaf for leaf in ranges.leaves if group.low <= leaf.low and (end is None or leaf.low < end)]
        for group, end in zip(ranges.groups, ends, strict=True)
    ]
