"""The spans that freezes and restores excuse, in the streak's own days."""

import copy
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from gamify.facts.engine.instants import EARLIEST_YEAR
from participants.errors import InvalidInput
from streaks.engine.care import reviving_span
from streaks.engine.counting import windows_of
from streaks.engine.rolling import Rolling
from streaks.engine.windows import CalendarWindows
from streaks.models import ParticipantStreak
from streaks.selectors.statuses import ParticipantStreakStatus, status_of
from streaks.selectors.terms import days_of

LATEST_YEAR = 2199


def open_window(status: ParticipantStreakStatus, *, now: datetime) -> tuple[datetime, datetime]:
    """[begin, end) of the open window. For a rolling streak that is not running: the window that a tick now would open."""
    windows, number = windows_of(status.state, status.rules), status.streak_status.window
    if windows is not None and number is not None:
        return windows.start(number), windows.end(number)
    assert isinstance(status.rules.windows, Rolling), "calendar windows are always open"  # noqa: S101
    return now, now + status.rules.windows.length


def restorable_span(status: ParticipantStreakStatus, *, now: datetime) -> tuple[datetime, datetime] | None:
    """The span that must be excused to revive the last broken run. None if there is no broken run."""
    return reviving_span(status.state, status.rules, now=now, spans=status.spans)


def status_without_freeze(
    status: ParticipantStreakStatus, given_at: datetime, *, now: datetime
) -> ParticipantStreakStatus:
    """Return the status that the participant would have without the freeze that was given at `given_at`."""
    row = copy.copy(status.row)
    row.freezes = freezes_without(row, given_at)
    return status_of(row, status.streak, status.participant, now=now)


def freezes_without(row: ParticipantStreak, given_at: datetime) -> list[Mapping[str, Any]]:
    """Return the freezes of `row` except the one that was given at this instant. No two are given at the same instant."""
    return [freeze for freeze in row.freezes if freeze["at"] != given_at.isoformat()]


def span_between(
    status: ParticipantStreakStatus, begin: date | datetime | None, end: date | datetime | None, *, now: datetime
) -> tuple[datetime, datetime]:
    """Convert dates or instants to a span [begin, end) of instants.

    A date means the whole day of the streak, so a date as `end` is included. `begin` defaults to now, and `end` to the end
    of `begin`: of its day if it is a date, else that instant, which stands for its window.

    Raises: InvalidInput.
    """
    days = days_of(status.rules)
    check_year("from", begin)
    check_year("to", end)
    first = now if begin is None else _instant(begin, days, is_end=False)
    last = _instant(begin if end is None else end, days, is_end=True)
    if last < first or (last == first and end is not None):
        raise InvalidInput("to", "Must not be before `from`.")
    return first, last


def check_year(field: str, day: date | None) -> None:
    """Keep dates away from both ends of Python's calendar, where window boundaries overflow.

    Raises: InvalidInput.
    """
    if day is not None and not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise InvalidInput(field, f"Must be between {EARLIEST_YEAR} and {LATEST_YEAR}.")


def _instant(given: date | datetime | None, days: CalendarWindows, *, is_end: bool) -> datetime:
    assert given is not None, "one of the two ends is given"  # noqa: S101
    if isinstance(given, datetime):
        return given
    return days.end(given.toordinal()) if is_end else days.start(given.toordinal())
