"""The periods of a board (docs/contract.md §9).

Periods are half-open, `[start, end)`. In the board's zone they begin at midnight, on ISO Monday, on the 1st of a month, and on
1 January. A period consists of a kind and a number, and the next period has the next number. `code` combines both in one
integer, which is stored in the database.

Instants are compared in UTC. So a day that has begun stays begun, even where clocks go back across midnight.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from participants.engine import start_of_day

_STEP = 10_000_000
FIRST_YEAR, LAST_YEAR = 1970, 2199


class Kind(IntEnum):
    """The kinds of period. Clients can read the kinds up to `DAILY`.

    `OPENING` and `MOVED` are internal. For each day they hold the participants whose all-time score changed on that day:
    `OPENING` with the score at the start of the day, `MOVED` with the score now.
    """

    ALL_TIME = 0
    YEARLY = 1
    MONTHLY = 2
    WEEKLY = 3
    DAILY = 4
    OPENING = 5
    MOVED = 6


CLIENT_KINDS: Mapping[str, Kind] = {kind.name.lower(): kind for kind in Kind if kind <= Kind.DAILY}
"""The kinds that clients can read, by the names that they use."""


@dataclass(frozen=True)
class Period:
    kind: Kind
    number: int = 0

    @property
    def code(self) -> int:
        return self.kind * _STEP + self.number

    @property
    def kind_name(self) -> str:
        return self.kind.name.lower()

    @property
    def key(self) -> str:
        """The name that clients use: `2026`, `2026-02`, `2026-W07`, `2026-02-14` or `all_time`."""
        return _KEYS[self.kind](self.number)

    @property
    def previous(self) -> "Period":
        return Period(self.kind, self.number - 1)

    def first_day(self) -> date:
        return _FIRST_DAYS[self.kind](self.number)

    def bounds(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """Start (inclusive) and end (exclusive) in UTC. Both are None for all time."""
        if self.kind is Kind.ALL_TIME:
            return None, None
        following = Period(self.kind, self.number + 1)
        return start_of_day(self.first_day(), zone), start_of_day(following.first_day(), zone)

    def is_closed(self, zone: ZoneInfo, *, now: datetime) -> bool:
        end = self.bounds(zone)[1]
        return end is not None and end <= now


ALL_TIME = Period(Kind.ALL_TIME)


def period_from_code(code: int) -> Period:
    return Period(Kind(code // _STEP), code % _STEP)


def period_on(kind: Kind, day: date) -> Period:
    """The period of this kind that contains a local day."""
    return Period(kind, _NUMBERS[kind](day))


def periods_at(at: datetime, zone: ZoneInfo) -> Sequence[Period]:
    """The five periods that contain an instant and that clients can read."""
    return periods_on(local_day(at, zone))


@lru_cache(maxsize=4096)
def periods_on(day: date) -> Sequence[Period]:
    """The five periods that contain a local day and that clients can read."""
    return tuple(period_on(kind, day) for kind in CLIENT_KINDS.values())


@lru_cache(maxsize=8192)
def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The local day that contains an instant."""
    day = at.astimezone(zone).date()
    return day + timedelta(days=1) if at >= start_of_day(day + timedelta(days=1), zone) else day


def period_from_key(kind: Kind, key: str) -> Period | None:
    """The period of this kind that clients call `key`, or None if `key` names none.

    Years outside FIRST_YEAR to LAST_YEAR are not accepted.
    """
    if kind is Kind.ALL_TIME:
        return ALL_TIME if key == "all_time" else None
    match = re.fullmatch(_PATTERNS[kind], key, re.ASCII)
    if match is None or not FIRST_YEAR <= int(key[:4]) <= LAST_YEAR:
        return None
    try:
        return period_on(kind, _DAYS_FROM_KEY[kind](*map(int, match.groups())))
    except ValueError:
        return None


def _week_key(number: int) -> str:
    year, week, _ = date.fromordinal(number * 7 + 1).isocalendar()
    return f"{year:04}-W{week:02}"


def _day_key(number: int) -> str:
    return date.fromordinal(number).isoformat()


_NUMBERS: Mapping[Kind, Callable[[date], int]] = {
    Kind.ALL_TIME: lambda day: 0,
    Kind.YEARLY: lambda day: day.year,
    Kind.MONTHLY: lambda day: day.year * 12 + day.month - 1,
    Kind.WEEKLY: lambda day: (day.toordinal() - 1) // 7,
    Kind.DAILY: date.toordinal,
    Kind.OPENING: date.toordinal,
    Kind.MOVED: date.toordinal,
}
_FIRST_DAYS: Mapping[Kind, Callable[[int], date]] = {
    Kind.YEARLY: lambda number: date(number, 1, 1),
    Kind.MONTHLY: lambda number: date(number // 12, number % 12 + 1, 1),
    Kind.WEEKLY: lambda number: date.fromordinal(number * 7 + 1),
    Kind.DAILY: date.fromordinal,
    Kind.OPENING: date.fromordinal,
    Kind.MOVED: date.fromordinal,
}
_KEYS: Mapping[Kind, Callable[[int], str]] = {
    Kind.ALL_TIME: lambda number: "all_time",
    Kind.YEARLY: lambda number: f"{number:04}",
    Kind.MONTHLY: lambda number: f"{number // 12:04}-{number % 12 + 1:02}",
    Kind.WEEKLY: _week_key,
    Kind.DAILY: _day_key,
    Kind.OPENING: _day_key,
    Kind.MOVED: _day_key,
}
_PATTERNS: Mapping[Kind, str] = {
    Kind.YEARLY: r"(\d{4})",
    Kind.MONTHLY: r"(\d{4})-(\d{2})",
    Kind.WEEKLY: r"(\d{4})-W(\d{2})",
    Kind.DAILY: r"(\d{4})-(\d{2})-(\d{2})",
}
_DAYS_FROM_KEY: Mapping[Kind, Callable[..., date]] = {
    Kind.YEARLY: lambda year: date(year, 1, 1),
    Kind.MONTHLY: lambda year, month: date(year, month, 1),
    Kind.WEEKLY: lambda year, week: date.fromisocalendar(year, week, 1),
    Kind.DAILY: date,
}
