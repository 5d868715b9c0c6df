"""Windows: the periods of a streak, numbered by integer ordinals so that "next" is `+ 1`.

A calendar window has a *local boundary*, a wall-clock time in the definition's zone such as 2026-02-14 00:00. It begins at
the first instant whose wall-clock time is at or after its boundary. It ends where the next window begins:

- In a gap (clocks go forward over the boundary) that is the instant of the change.
- In a fold (clocks show the boundary twice) it is the first of the two.
- A local day that does not exist (Apia, 2011-12-30) has no length. It contains no instant, and cannot be missed.

These windows partition time: every instant is in exactly one window, and window starts never go backwards. Instants are
compared in UTC. The usual method (subtract the reset time from the wall clock, take the date) runs backwards inside a fold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, cached_property, lru_cache
from typing import Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

MONDAY = 0
DAYS_PER_WEEK = 7
HOURS_PER_DAY = 24
MONTHS_PER_YEAR = 12


# --- periods ----------------------------------------------------------------------------------------------------------


def _midnight(day: date | int) -> datetime:
    """The beginning of a date, or of a day of the calendar by its ordinal."""
    return datetime.combine(date.fromordinal(day) if isinstance(day, int) else day, time())


def _week_key(boundary: datetime) -> str:
    """The ISO name of the week that contains the window's fourth day. So names are unique for every first day of the week."""
    year, week, _ = (boundary + timedelta(days=3)).isocalendar()
    return f"{year}-W{week:02}"


@dataclass(frozen=True)
class Display:
    """How calendars show windows by default.

    `boxes` is the number of windows in the console, `days` the number of days in the API. `label` makes the short text of a box from the
    window's key and start.
    """

    boxes: int
    days: int
    label: Callable[[str, datetime], str]


@dataclass(frozen=True)
class PeriodRules:
    """Everything that is specific to one period.

    `hours` is the longest length of a window, so that a grace of one month covers every month. `number` maps a local time to
    the ordinal of its window, and `boundary` maps an ordinal to the local time at which that window begins; both take the first day of the
    week (0 = Monday). `key` maps a boundary to the window's name on the wire. `wraps_reset` says that only the part of a reset time below
    one hour counts.
    """

    hours: int
    number: Callable[[datetime, int], int]
    boundary: Callable[[int, int], datetime]
    key: Callable[[datetime], str]
    display: Display
    wraps_reset: bool = False


class Period(StrEnum):
    """The periods of calendar windows. To add one, add a member: bodies, console, OpenAPI and calendars list the members."""

    rules: PeriodRules

    def __new__(cls, name: str, rules: PeriodRules | None = None) -> Self:
        """Called for each member, with its rules. `rules` has a default because type checkers read `Period("daily")` as this call."""
        assert rules is not None, "every member declares its rules"  # noqa: S101
        period = str.__new__(cls, name)
        period._value_ = name
        period.rules = rules
        return period

    HOURLY = (
        "hourly",
        PeriodRules(
            hours=1,
            number=lambda local, week_start: local.toordinal() * HOURS_PER_DAY + local.hour,
            boundary=lambda number, week_start: (
                _midnight(number // HOURS_PER_DAY) + timedelta(hours=number % HOURS_PER_DAY)
            ),
            key=lambda boundary: f"{boundary:%Y-%m-%dT%H}",
            display=Display(boxes=48, days=7, label=lambda key, start: key[-2:]),
            wraps_reset=True,
        ),
    )
    DAILY = (
        "daily",
        PeriodRules(
            hours=24,
            number=lambda local, week_start: local.toordinal(),
            boundary=lambda number, week_start: _midnight(number),
            key=lambda boundary: f"{boundary:%Y-%m-%d}",
            display=Display(boxes=35, days=30, label=lambda key, start: key[-2:].lstrip("0")),
        ),
    )
    WEEKLY = (
        "weekly",
        PeriodRules(
            hours=7 * 24,
            # Day 1 of the calendar was a Monday.
            number=lambda local, week_start: (local.toordinal() - 1 - week_start) // DAYS_PER_WEEK,
            boundary=lambda number, week_start: _midnight(number * DAYS_PER_WEEK + 1 + week_start),
            key=_week_key,
            display=Display(boxes=14, days=12 * 7, label=lambda key, start: key[-3:]),
        ),
    )
    MONTHLY = (
        "monthly",
        PeriodRules(
            hours=31 * 24,
            number=lambda local, week_start: local.year * MONTHS_PER_YEAR + local.month - 1,
            boundary=lambda number, week_start: _midnight(
                date(number // MONTHS_PER_YEAR, number % MONTHS_PER_YEAR + 1, 1)
            ),
            key=lambda boundary: f"{boundary:%Y-%m}",
            display=Display(boxes=12, days=366, label=lambda key, start: f"{date.fromisoformat(f'{key}-01'):%b}"),
        ),
    )


ROLLING = "rolling"
"""The name of windows that open at a participant's first tick. They are no calendar period (`streaks.engine.rolling`)."""

PERIOD_NAMES = [*(period.value for period in Period), ROLLING]

_ROLLING_DISPLAY = Display(boxes=14, days=30, label=lambda key, start: f"{start:%d.%m.}")


def display_of(period: str) -> Display:
    """How calendars show windows of `period`, the name of a Period or ROLLING."""
    return _ROLLING_DISPLAY if period == ROLLING else Period(period).rules.display


K = TypeVar("K")
V = TypeVar("V")

# --- windows ----------------------------------------------------------------------------------------------------------


class Windows(Protocol):
    """The interface that the engine needs, for every kind of windows.

    `jumps` are instants in ascending order. Ordinals may go backwards at a jump, and never between two jumps.
    """

    @property
    def jumps(self) -> Sequence[datetime]: ...
    def ordinal(self, at: datetime) -> int: ...
    def start(self, number: int) -> datetime: ...
    def end(self, number: int) -> datetime: ...
    def is_empty(self, number: int) -> bool: ...
    def key(self, number: int) -> str: ...


@dataclass(frozen=True)
class CalendarWindows:
    """Windows of one period in one IANA zone.

    `reset` is the time from local midnight (for hourly windows, from the full hour) to a window's boundary. Weeks begin on
    `week_start`, 0 = Monday. Ordinals count hours, days, weeks or months of the proleptic Gregorian calendar.
    """

    period: Period
    zone: str = "UTC"
    reset: timedelta = timedelta(0)
    week_start: int = MONDAY

    @property
    def jumps(self) -> Sequence[datetime]:
        """None: in one zone ordinals never go backwards."""
        return ()

    def ordinal(self, at: datetime) -> int:
        """The number of the window that contains `at` (aware)."""
        if at.tzinfo is not UTC:  # instants in one zone compare as equal although their `fold` differs
            return self._ordinal(at)
        known = self._ordinals.get(at)
        return _remember(self._ordinals, at, self._ordinal(at)) if known is None else known

    @cached_property
    def _ordinals(self) -> dict[datetime, int]:
        """Ordinals of instants in UTC. A unit of work needs that of its `now` for each row."""
        return {}

    @cached_property
    def _starts(self) -> dict[int, datetime]:
        """Starts of windows by their numbers."""
        return {}

    def _ordinal(self, at: datetime) -> int:
        at = at.astimezone(UTC)
        local = at.astimezone(_zone(self.zone)).replace(tzinfo=None)
        number = self.period.rules.number(local - self.reset, self.week_start)
        # Near a change of the clocks the wall clock can be a window off, so compare instants.
        while self.start(number + 1) <= at:
            number += 1
        while self.start(number) > at:
            number -= 1
        return number

    def start(self, number: int) -> datetime:
        """The instant (UTC) at which window `number` begins."""
        known = self._starts.get(number)
        return _remember(self._starts, number, self._start(number)) if known is None else known

    def _start(self, number: int) -> datetime:
        return _first_instant(self.period.rules.boundary(number, self.week_start) + self.reset, self.zone)

    def end(self, number: int) -> datetime:
        """The instant (UTC) at which window `number` ends."""
        return self.start(number + 1)

    def is_empty(self, number: int) -> bool:
        """Whether the window has no length, because the zone skipped it."""
        return self.start(number) == self.end(number)

    def key(self, number: int) -> str:
        """The name of the window on the wire, such as 2025-12-23T14, 2025-12-23, 2025-W52 or 2025-12."""
        return self.period.rules.key(self.period.rules.boundary(number, self.week_start))


MAX_REMEMBERED = 4_096


def _remember(known: dict[K, V], key: K, value: V) -> V:
    """Store `value`, after forgetting everything if there is too much."""
    if len(known) >= MAX_REMEMBERED:
        known.clear()
    known[key] = value
    return value


def iso_instant(at: datetime) -> str:
    """`at` (UTC) in ISO 8601 with a `Z`, as on the wire."""
    return at.isoformat().replace("+00:00", "Z")


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


# --- the first instant at or after a wall-clock time -------------------------------------------------------------------


@lru_cache(maxsize=65_536)
def _first_instant(boundary: datetime, zone: str) -> datetime:
    """The first instant (UTC) at which clocks in `zone` show `boundary` or later."""
    info = _zone(zone)
    instant = boundary.replace(tzinfo=info, fold=0).astimezone(UTC)
    if instant.astimezone(info).replace(tzinfo=None) == boundary:
        return instant
    before = boundary.replace(tzinfo=info, fold=1).astimezone(UTC)
    return _change_between(before, instant, info)


def _change_between(early: datetime, late: datetime, info: ZoneInfo) -> datetime:
    """The instant in (early, late] at which the offset of `info` changes, to the second."""
    offset, seconds = early.astimezone(info).utcoffset(), int((late - early).total_seconds())
    low, high = 0, seconds
    while high - low > 1:
        middle = (low + high) // 2
        if (early + timedelta(seconds=middle)).astimezone(info).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return early + timedelta(seconds=high)
