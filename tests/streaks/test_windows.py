from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaks.engine.windows import CalendarWindows, Period

pytestmark = pytest.mark.engine

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SECOND = timedelta(seconds=1)
RESETS = [timedelta(0), 30 * MINUTE, 90 * MINUTE, 2 * HOUR, 150 * MINUTE, 4 * HOUR, 12 * HOUR, 24 * HOUR - MINUTE]


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "at", "key"),
    [
        (Period.HOURLY, utc(2025, 12, 23, 14, 59, 59), "2025-12-23T14"),
        (Period.DAILY, utc(2025, 12, 23), "2025-12-23"),
        (Period.WEEKLY, utc(2025, 12, 28, 23, 59), "2025-W52"),
        (Period.WEEKLY, utc(2027, 1, 1), "2026-W53"),
        (Period.WEEKLY, utc(2024, 12, 30), "2025-W01"),
        (Period.MONTHLY, utc(2025, 12, 31, 23, 59), "2025-12"),
        (Period.MONTHLY, utc(2024, 2, 29), "2024-02"),
    ],
)
def test_windows_have_their_names_on_the_wire(period, at, key):
    windows = CalendarWindows(period)

    assert windows.key(windows.ordinal(at)) == key


def test_a_week_may_begin_on_another_day():
    windows = CalendarWindows(Period.WEEKLY, week_start=6)

    assert windows.ordinal(utc(2026, 2, 15)) == windows.ordinal(utc(2026, 2, 21))  # Sunday to Saturday
    assert windows.ordinal(utc(2026, 2, 14)) == windows.ordinal(utc(2026, 2, 15)) - 1
    assert windows.key(windows.ordinal(utc(2026, 2, 15))) == "2026-W08"  # of its Wednesday, the fourth day


def test_a_day_follows_the_wall_clock_of_its_zone():
    windows = CalendarWindows(Period.DAILY, "America/New_York", reset=4 * HOUR)

    assert windows.key(windows.ordinal(utc(2026, 2, 14, 8, 59))) == "2026-02-13"
    assert windows.key(windows.ordinal(utc(2026, 2, 14, 9))) == "2026-02-14"


def test_a_boundary_in_a_gap_is_the_instant_of_the_change():
    windows = CalendarWindows(Period.DAILY, "Europe/Berlin", reset=150 * MINUTE)  # 02:30, absent on 2026-03-29
    number = windows.ordinal(utc(2026, 3, 29, 12))

    assert windows.start(number) == utc(2026, 3, 29, 1)


def test_a_boundary_in_a_fold_is_its_first_occurrence_and_time_does_not_run_backwards():
    windows = CalendarWindows(Period.DAILY, "Europe/Berlin", reset=150 * MINUTE)  # 02:30, twice on 2026-10-25
    number = windows.ordinal(utc(2026, 10, 25, 12))

    assert windows.start(number) == utc(2026, 10, 25, 0, 30)
    quarters = [utc(2026, 10, 24, 23) + n * 15 * MINUTE for n in range(16)]
    numbers = [windows.ordinal(at) for at in quarters]
    assert numbers == sorted(numbers)


def test_a_day_that_a_zone_skipped_has_no_length():
    windows = CalendarWindows(Period.DAILY, "Pacific/Apia")
    thursday = windows.ordinal(utc(2011, 12, 30, 9))

    assert windows.key(thursday) == "2011-12-29"
    assert windows.is_empty(thursday + 1)
    assert windows.key(windows.ordinal(utc(2011, 12, 30, 10))) == "2011-12-31"


def offset_changes(zone, *, first=2000, last=2037):
    """The instants at which `zone` changes its clocks, found by comparing offsets, without the table of transitions."""
    info, at, changes = ZoneInfo(zone), utc(first, 1, 1), []
    while at.year <= last:
        after = at + timedelta(days=7)
        if at.astimezone(info).utcoffset() != after.astimezone(info).utcoffset():
            changes.append(change_between(at, after, info))
        at = after
    return changes


def change_between(low, high, info):
    before = low.astimezone(info).utcoffset()
    while high - low > SECOND:
        middle = low + ((high - low) // 2 // SECOND) * SECOND
        low, high = (middle, high) if middle.astimezone(info).utcoffset() == before else (low, middle)
    return high


@cache
def zones_that_differ():
    """One zone per group of zones with equal changes of clocks, with these changes."""
    seen = {}
    for zone in sorted(available_timezones()):
        changes = offset_changes(zone)
        offsets = tuple(at.astimezone(ZoneInfo(zone)).utcoffset() for at in [utc(2000, 1, 1), *changes])
        seen.setdefault((tuple(changes), offsets), (zone, changes))
    return list(seen.values())


LOOK_BACK = {
    Period.HOURLY: 3 * HOUR,
    Period.DAILY: 48 * HOUR,
    Period.WEEKLY: 7 * 24 * HOUR,
    Period.MONTHLY: 31 * 24 * HOUR,
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("period", Period)
def test_windows_partition_time_around_every_change_of_the_clocks(period):
    for zone, changes in zones_that_differ():
        for reset in sorted({reset % HOUR for reset in RESETS} if period == Period.HOURLY else RESETS):
            for at in changes:
                week_start = at.astimezone(ZoneInfo(zone)).weekday()  # so that weeks begin at the change of clocks, too
                check_tiling(CalendarWindows(period, zone, reset, week_start), around=at)


def check_tiling(windows, *, around):
    first, last = windows.ordinal(around - LOOK_BACK[windows.period]), windows.ordinal(around) + 2
    starts = [windows.start(number) for number in range(first, last + 1)]
    assert starts == sorted(starts), (windows, around)
    assert starts[0] <= around <= starts[-1], (windows, around)
    for number, (start, end) in enumerate(pairwise(starts), first):
        if start < end:
            inside = (start, start + (end - start) / 2, end - timedelta(microseconds=1))
            assert [windows.ordinal(at) for at in inside] == [number] * 3, (windows, start)


@pytest.mark.parametrize(
    ("period", "zone", "reset", "begins", "key"),
    [
        (Period.HOURLY, "Europe/Berlin", 0, utc(2026, 3, 29, 1), "2026-03-29T03"),  # 02:00 did not exist
        (Period.HOURLY, "Europe/Berlin", 0, utc(2026, 10, 25, 2), "2026-10-25T03"),  # 02:00 lasted two hours
        (Period.DAILY, "Africa/Cairo", 0, utc(2023, 4, 27, 22), "2023-04-28"),  # midnight did not exist
        (Period.DAILY, "America/Havana", 0, utc(2026, 11, 1, 4), "2026-11-01"),  # 00:00 twice: the first
        (Period.DAILY, "UTC", 0, utc(2024, 2, 29), "2024-02-29"),
        (Period.DAILY, "UTC", 0, utc(2024, 3, 1), "2024-03-01"),
        (Period.WEEKLY, "UTC", 0, utc(2026, 12, 28), "2026-W53"),
        (Period.WEEKLY, "UTC", 0, utc(2027, 1, 4), "2027-W01"),
        (Period.MONTHLY, "UTC", 0, utc(2026, 3, 1), "2026-03"),
        (Period.MONTHLY, "America/New_York", 4, utc(2026, 4, 1, 8), "2026-04"),
    ],
)
def test_a_window_begins_at_exactly_this_instant(period, zone, reset, begins, key):
    windows = CalendarWindows(period, zone, reset * HOUR)

    number = windows.ordinal(begins)

    assert (windows.start(number), windows.key(number)) == (begins, key)
    assert windows.ordinal(begins + timedelta(microseconds=1)) == number
    assert windows.ordinal(begins - timedelta(microseconds=1)) < number


@given(
    period=st.sampled_from(list(Period)),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]),
    reset=st.sampled_from(RESETS),
    week_start=st.integers(0, 6),
    at=st.integers(0, 70 * 366 * 86_400).map(lambda seconds: utc(1990, 1, 1) + seconds * SECOND),
)
def test_every_instant_is_in_exactly_the_window_of_its_ordinal(period, zone, reset, week_start, at):
    reset = reset if period != Period.HOURLY else reset % HOUR
    windows = CalendarWindows(period, zone, reset, week_start)

    number = windows.ordinal(at)

    assert windows.start(number) <= at < windows.start(number + 1)
