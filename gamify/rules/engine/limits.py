"""How often a rule may fire for one participant (docs/contract.md §11).

Days are local dates of the tenant's zone at the time of the fact; weeks are ISO weeks. A late fact counts on the day on which it
happened, so the order in which facts arrive does not matter within RETENTION. For a cooldown only the newest firing is stored: a fact
from before it does not fire.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum

RETENTION = timedelta(days=35)
"""How long before the newest day the counts of days are stored."""


class Limit(Enum):
    """The limit that stopped a rule. The values are the names in `limits` of a rule."""

    EVER = "ever"
    PER_DAY = "per_day"
    PER_WEEK = "per_week"
    COOLDOWN = "cooldown_seconds"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """None means no limit. `cooldown` is the least time between two firings."""

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
    """How often a rule has fired for a participant: in total, and per day within RETENTION of the newest day.

    `last_at` is the time of the newest fact for which it fired.
    """

    total: int = 0
    days: Mapping[date, int] = field(default_factory=dict)
    last_at: datetime | None = None

    @property
    def newest_day(self) -> date | None:
        return max(self.days, default=None)


def limit_reached(tally: Tally, limits: Limits, *, at: datetime, day: date) -> Limit | None:
    """Return the limit that stops a firing at `at`, which is on `day` in the tenant's zone; None if the rule may fire.

    A day that is older than the stored ones counts as used up if the rule has a limit per day or per week.
    """
    if limits.ever is not None and tally.total >= limits.ever:
        return Limit.EVER
    if limits.per_day is not None and _count_on(tally, day, limits.per_day) >= limits.per_day:
        return Limit.PER_DAY
    if limits.per_week is not None and _count_in_week(tally, day, limits.per_week) >= limits.per_week:
        return Limit.PER_WEEK
    return Limit.COOLDOWN if _is_too_soon(tally, limits.cooldown, at) else None


def _count_on(tally: Tally, day: date, used_up: int) -> int:
    return used_up if _is_too_old(tally, day) else tally.days.get(day, 0)


def _count_in_week(tally: Tally, day: date, used_up: int) -> int:
    if _is_too_old(tally, day):
        return used_up
    monday = _monday(day)
    return sum(count for fired_on, count in tally.days.items() if _monday(fired_on) == monday)


def _is_too_old(tally: Tally, day: date) -> bool:
    newest = tally.newest_day
    return newest is not None and day < newest - RETENTION


def _is_too_soon(tally: Tally, cooldown: timedelta | None, at: datetime) -> bool:
    """Only the newest firing is stored. A fact from before it may be within the cooldown of an earlier firing, so it does not fire."""
    return cooldown is not None and tally.last_at is not None and at - tally.last_at < cooldown


def with_firing(tally: Tally, *, at: datetime, day: date) -> Tally:
    """Return `tally` after one more firing. The stored days begin on a Monday, so that every week is complete."""
    days = {**tally.days, day: tally.days.get(day, 0) + 1}
    first = _monday(max(days) - RETENTION)
    stored = {fired_on: count for fired_on, count in days.items() if fired_on >= first}
    return Tally(tally.total + 1, stored, at if tally.last_at is None else max(at, tally.last_at))


def without_firing(tally: Tally, *, day: date, last_at: datetime | None) -> Tally:
    """Return `tally` without one firing on `day`. `last_at` is the newest firing that remains.

    If the count of `day` is no longer stored, only the total decreases.
    """
    days = {fired_on: count - (fired_on == day) for fired_on, count in tally.days.items()}
    return Tally(tally.total - 1, {fired_on: count for fired_on, count in days.items() if count}, last_at)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
