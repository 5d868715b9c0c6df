"""How often a rule may fire for one participant (contract §11).

Days are local dates of the tenant's zone at the time of the fact, weeks are ISO weeks. A late fact counts where it
happened: the order in which facts come in does not matter, as long as they are no older than what is remembered. Of a
cooldown only the newest firing is: what is older than that does not fire.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum

RETENTION = timedelta(days=35)


class Limit(Enum):
    """What stopped a rule; the values are the names of the contract."""

    EVER = "ever"
    PER_DAY = "per_day"
    PER_WEEK = "per_week"
    COOLDOWN = "cooldown_seconds"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """None is no limit; `cooldown` is the least time between two firings."""

    per_day: int | None = None
    per_week: int | None = None
    ever: int | None = None
    cooldown: timedelta | None = None

    @property
    def is_binding(self) -> bool:
        return self != NO_LIMITS


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Tally:
    """How often a rule has fired: in all, and on each day of the last weeks before the newest; `last_at` is the newest
    by the time of its fact.
    """

    total: int = 0
    days: Mapping[date, int] = field(default_factory=dict)
    last_at: datetime | None = None

    @property
    def newest_day(self) -> date | None:
        return max(self.days, default=None)


def limit_reached(tally: Tally, limits: Limits, *, at: datetime, day: date) -> Limit | None:
    """The limit that stops a firing at `at`, which is `day` in the tenant's zone; None where it may fire.

    What is older than the days that are remembered is taken for used up where a day or a week has a limit.
    """
    if limits.ever is not None and tally.total >= limits.ever:
        return Limit.EVER
    if limits.per_day is not None and _count_on(tally, day, limits.per_day) >= limits.per_day:
        return Limit.PER_DAY
    if limits.per_week is not None and _count_in_week(tally, day, limits.per_week) >= limits.per_week:
        return Limit.PER_WEEK
    return Limit.COOLDOWN if _is_too_soon(tally, limits.cooldown, at) else None


def _count_on(tally: Tally, day: date, used_up: int) -> int:
    return used_up if _is_forgotten(tally, day) else tally.days.get(day, 0)


def _count_in_week(tally: Tally, day: date, used_up: int) -> int:
    if _is_forgotten(tally, day):
        return used_up
    monday = _monday(day)
    return sum(count for fired_on, count in tally.days.items() if _monday(fired_on) == monday)


def _is_forgotten(tally: Tally, day: date) -> bool:
    newest = tally.newest_day
    return newest is not None and day < newest - RETENTION


def _is_too_soon(tally: Tally, cooldown: timedelta | None, at: datetime) -> bool:
    """Only the newest firing is remembered: what happened before it may be as near to an earlier one, and fires no more."""
    return cooldown is not None and tally.last_at is not None and at - tally.last_at < cooldown


def with_firing(tally: Tally, *, at: datetime, day: date) -> Tally:
    """After one more firing. Days are kept from the Monday before those remembered, so that every week is whole."""
    days = {**tally.days, day: tally.days.get(day, 0) + 1}
    first = _monday(max(days) - RETENTION)
    kept = {fired_on: count for fired_on, count in days.items() if fired_on >= first}
    return Tally(tally.total + 1, kept, at if tally.last_at is None else max(at, tally.last_at))


def without_firing(tally: Tally, *, day: date, last_at: datetime | None) -> Tally:
    """After a firing on `day` is as if it had not been; `last_at` is now the newest. A day that is not remembered any more counts
    in the total alone.
    """
    days = {fired_on: count - (fired_on == day) for fired_on, count in tally.days.items()}
    return Tally(tally.total - 1, {fired_on: count for fired_on, count in days.items() if count}, last_at)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
