"""An oracle for the streak engine: it sorts the whole history of ticks and walks through all windows.

It is written from the contract alone, and has no ordinals, no run-length lists and no state. A window is identified by the
wall-clock time at which it should begin. The window of an instant follows from the latest time that a wall clock has
shown until then. The oracle is slow on purpose: it must be obviously right.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count, pairwise
from typing import Any
from zoneinfo import ZoneInfo

INSTANT, SECOND, HOUR, DAY = timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MAX_LATENESS = 35 * DAY

# --- wall clocks -------------------------------------------------------------------------------------------------------


@cache
def changes_of_clocks(zone: str, year: int) -> list[datetime]:
    """The instants of a year at which `zone` changes its clocks, found by comparing the offsets at noon."""
    noons = [datetime(year, 1, 1, 12, tzinfo=UTC) + number * DAY for number in range(-1, 366)]
    return [_change_between(a, b, zone) for a, b in pairwise(noons) if _offset(a, zone) != _offset(b, zone)]


def _change_between(before: datetime, after: datetime, zone: str) -> datetime:
    old = _offset(before, zone)
    while after - before > SECOND:
        middle = before + (after - before) // 2 // SECOND * SECOND
        before, after = (middle, after) if _offset(middle, zone) == old else (before, middle)
    return after


def _offset(at: datetime, zone: str) -> timedelta:
    offset = at.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return offset


def _shown(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _changes_about(at: datetime, zone: str) -> list[datetime]:
    """Changes of the clocks within two days."""
    years = range((at - 2 * DAY).year, (at + 2 * DAY).year + 1)
    return [change for year in years for change in changes_of_clocks(zone, year) if abs(change - at) < 2 * DAY]


def latest_shown(at: datetime, zone: str) -> datetime:
    """The latest wall-clock time shown until `at`. After clocks go back, it does not change until they show it again."""
    turns = [change - INSTANT for change in _changes_about(at, zone) if change <= at]
    return max(_shown(instant, zone) for instant in (*turns, at))


@cache
def first_shown(wall: datetime, zone: str) -> datetime:
    """The first instant at which the clock shows `wall` or jumps over it."""
    near = wall.replace(tzinfo=UTC)
    jumps = _changes_about(near, zone)
    offsets = {_offset(at, zone) for at in (near - 2 * DAY, *jumps, near + 2 * DAY)}
    candidates = sorted([*jumps, *(near - offset for offset in offsets)])
    return next(at for at in candidates if latest_shown(at, zone) >= wall)


# --- windows -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calendar:
    """Windows of a `period`. `zones` are the participant's zones, each with the instant until which it applies (last: None)."""

    period: str
    zones: Sequence[tuple[str, datetime | None]] = (("UTC", None),)
    reset: timedelta = timedelta(0)
    week_start: int = 0

    def window_at(self, at: datetime) -> datetime:
        """The window of an instant: the wall-clock time at which it should begin, minus the reset time."""
        zone = next(zone for zone, until in self.zones if until is None or at < until)
        return self._begin(latest_shown(at, zone) - self.reset)

    def _begin(self, wall: datetime) -> datetime:
        if self.period == "hourly":
            return wall.replace(minute=0, second=0, microsecond=0)
        midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.period == "monthly":
            return midnight.replace(day=1)
        return midnight - (wall.weekday() - self.week_start) % 7 * DAY if self.period == "weekly" else midnight

    def next(self, window: datetime) -> datetime:
        if self.period == "monthly":
            return (window + 31 * DAY).replace(day=1)
        return window + {"hourly": HOUR, "daily": DAY, "weekly": 7 * DAY}[self.period]

    def previous(self, window: datetime) -> datetime:
        return self._begin(window - INSTANT)

    def from_to(self, first: datetime, last: datetime) -> Iterator[datetime]:
        while first <= last:
            yield first
            first = self.next(first)

    def pieces(self, window: datetime) -> list[tuple[datetime, datetime]]:
        """The spans of the window: usually one, none for a skipped date, and several if the participant travels."""
        found, since = [], None
        for zone, until in self.zones:
            begin, end = (first_shown(wall + self.reset, zone) for wall in (window, self.next(window)))
            begin, end = max(begin, since or begin), min(end, until or end)
            if begin < end:
                found.append((begin, end))
            since = until
        return found

    def key(self, window: datetime) -> str:
        shown = {"hourly": "%Y-%m-%dT%H", "daily": "%Y-%m-%d", "weekly": "%G-W%V", "monthly": "%Y-%m"}[self.period]
        return (window + 3 * DAY if self.period == "weekly" else window).strftime(shown)


@dataclass(frozen=True)
class Fixed:
    """Rolling windows from `opened` on. A window is identified by the instant at which it begins."""

    opened: datetime
    length: timedelta
    zones: Sequence[tuple[str, datetime | None]] = (("UTC", None),)

    def window_at(self, at: datetime) -> datetime:
        return next(window for window in self._all() if window + self.length > at)

    def _all(self) -> Iterator[datetime]:
        return (self.opened + number * self.length for number in count())

    def next(self, window: datetime) -> datetime:
        return window + self.length

    def previous(self, window: datetime) -> datetime:
        return window - self.length

    def from_to(self, first: datetime, last: datetime) -> Iterator[datetime]:
        while first <= last:
            yield first
            first = self.next(first)

    def pieces(self, window: datetime) -> list[tuple[datetime, datetime]]:
        return [(window, window + self.length)]

    def key(self, window: datetime) -> str:
        return window.isoformat().replace("+00:00", "Z")


# --- ticks and conditions ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tick:
    at: datetime
    value: Any = None


@dataclass(frozen=True)
class Wanted:
    """The condition of a window: at least `minimum` ticks, sum of values, or number of distinct values."""

    kind: str = "count"
    minimum: int = 1

    def effective(self, arrived: Sequence[Tick]) -> list[Tick]:
        """The ticks that count, in the order of arrival: all, or those at most 35 days older than the newest one so far."""
        if self == Wanted():
            return list(arrived)
        return [
            each
            for number, each in enumerate(arrived)
            if each.at >= max(other.at for other in arrived[: number + 1]) - MAX_LATENESS
        ]

    def shown(self, ticks: Sequence[Tick]) -> tuple[int, Decimal, list[Any]]:
        """(count, sum, distinct) of the ticks of one window, as a reader sees it. Lists and objects are ignored."""
        values = [each.value for each in ticks]
        numbers = [Decimal(str(value)) for value in values if type(value) in {int, float} and value > 0]
        different = {json.dumps(value): value for value in values if type(value) in {bool, int, float, str}}
        return (
            len(ticks),
            sum(numbers, Decimal(0)) if self.kind == "sum" else Decimal(0),
            [different[text] for text in sorted(different)] if self.kind == "distinct" else [],
        )

    def is_met(self, ticks: Sequence[Tick]) -> bool:
        number, total, different = self.shown(ticks)
        return {"count": number, "sum": total, "distinct": len(different)}[self.kind] >= self.minimum


# --- recounting --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Book:
    """Everything about one participant in one streak.

    `ticks` are in the order of arrival. `spans` are the excused times. `carried` is a carry-over (window, count) from a change
    of the rules at `since`, and `record` the longest run before it.
    """

    calendar: Calendar | Fixed
    ticks: Sequence[Tick] = ()
    grace: int = 0
    resets: bool = True
    lead: timedelta | None = None
    wanted: Wanted = Wanted()
    spans: Sequence[tuple[datetime, datetime | None]] = ()
    carried: tuple[datetime, int] | None = None
    record: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class Status:
    """The status that a reader sees."""

    current: int
    longest: int
    key: str | None
    is_satisfied: bool
    is_at_risk: bool
    breaks_at: datetime | None
    at_risk_at: datetime | None


def by_window(book: Book) -> dict[datetime, list[Tick]]:
    """The ticks that count, sorted, per window."""
    found: dict[datetime, list[Tick]] = {}
    counting = [each for each in book.wanted.effective(book.ticks) if book.since is None or each.at >= book.since]
    for each in sorted(counting, key=lambda tick: tick.at):
        found.setdefault(book.calendar.window_at(each.at), []).append(each)
    return found


def satisfied(book: Book) -> dict[datetime, int]:
    """The satisfied windows in order, with the number that each adds to its run."""
    found = {window: 1 for window, ticks in by_window(book).items() if book.wanted.is_met(ticks)}
    return dict(sorted((found | ({book.carried[0]: book.carried[1]} if book.carried else {})).items()))


def is_excused(book: Book, window: datetime) -> bool:
    """Whether a span overlaps the window. A span without a length is an instant."""
    spans = [(begin, None if end is None else max(end, begin + INSTANT)) for begin, end in book.spans]
    return any(
        start < (end or datetime.max.replace(tzinfo=UTC)) and begin < stop
        for start, stop in book.calendar.pieces(window)
        for begin, end in spans
    )


def is_missable(book: Book, window: datetime) -> bool:
    return bool(book.calendar.pieces(window)) and not is_excused(book, window)


def runs(book: Book) -> list[dict[datetime, int]]:
    """Satisfied windows that belong together, oldest first."""
    counting, found, missed = satisfied(book), list[dict[datetime, int]](), 0
    for window in book.calendar.from_to(min(counting), max(counting)) if counting else ():
        if window not in counting:
            missed += is_missable(book, window)
            continue
        if not found or (book.resets and missed > book.grace):
            found.append({})
        found[-1][window], missed = counting[window], 0
    return found


def fatal_window(book: Book, last: datetime) -> datetime | None:
    """The window whose miss is one too many if `last` is the last satisfied one. None if nothing can break the run."""
    lasting = [begin for begin, end in book.spans if end is None]
    settled = max((until for _, until in book.calendar.zones if until), default=None)
    missed, window = 0, last
    while book.resets and missed <= book.grace:
        window = book.calendar.next(window)
        missed += is_missable(book, window)
        start = first_piece(book, window)
        if start and (settled is None or start > settled) and any(begin <= start for begin in lasting):
            return None
    return window if book.resets else None


def first_piece(book: Book, window: datetime) -> datetime | None:
    return min((start for start, _ in book.calendar.pieces(window)), default=None)


def end_of(book: Book, window: datetime) -> datetime:
    """The end of the window's last piece. For a skipped window, the start of the next one."""
    pieces = book.calendar.pieces(window)
    return (
        max(end for _, end in pieces)
        if pieces
        else first_shown(window + book.calendar.reset, book.calendar.zones[-1][0])
    )


def status_at(book: Book, *, now: datetime) -> Status:
    """The status of the streak at `now`."""
    found, here = runs(book), book.calendar.window_at(now)
    is_satisfied = here in satisfied(book)
    longest = max([book.record, *(sum(run.values()) for run in found)])
    nothing = Status(0, longest, book.calendar.key(here), is_satisfied, False, None, None)
    if not found:
        return nothing
    last = max(found[-1])
    fatal = fatal_window(book, last)
    alive = replace(nothing, current=sum(found[-1].values()))
    if fatal is None:
        return alive
    breaks_at = end_of(book, fatal)
    if now >= breaks_at:
        return nothing
    lead = (breaks_at - (first_piece(book, fatal) or breaks_at)) / 6 if book.lead is None else book.lead
    if not lead:
        return replace(alive, breaks_at=breaks_at)
    at_risk_at = max(breaks_at - lead, end_of(book, last))
    is_at_risk = now >= at_risk_at and not is_satisfied
    return replace(alive, breaks_at=breaks_at, at_risk_at=at_risk_at, is_at_risk=is_at_risk)


def after_change(book: Book, new: Book, *, at: datetime) -> Book:
    """Convert the book to new rules, which apply from `at`.

    A live run continues. It ends with the window that is open at `at` if that contains the latest activity and the old window
    of that activity was satisfied; else with the window before. Ticks before `at` no longer count.
    """
    then, active_at = status_at(book, now=at), min([at, *(max(each.at for each in book.ticks) for _ in book.ticks[:1])])
    last = new.calendar.previous(new.calendar.window_at(at))
    if book.ticks and book.calendar.window_at(active_at) in satisfied(book):
        last = max(last, new.calendar.window_at(active_at))
    carried = (last, then.current) if then.current else None
    return replace(new, ticks=book.ticks, carried=carried, record=then.longest, since=at)


# --- rolling windows ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RollingBook:
    """Rolling windows of one length, with ticks in order. `begun` is a carry-over: (instant of the change, count)."""

    length: timedelta
    rules: Book
    begun: tuple[datetime, int] | None = None


def openings(book: RollingBook) -> list[Book]:
    """One book for each tick that opened windows, with the ticks until its run was over."""
    found = [_going_on(book, *book.begun)] if book.begun else []
    for each in book.rules.ticks:
        if not found or is_over(found[-1], each.at):
            found.append(replace(book.rules, calendar=Fixed(each.at, book.length), ticks=[]))
        found[-1] = replace(found[-1], ticks=[*found[-1].ticks, each])
    return found


def _going_on(book: RollingBook, at: datetime, count: int) -> Book:
    """A book in which the carried run ended with a window that ended at the change."""
    before = at - book.length
    return replace(book.rules, calendar=Fixed(before, book.length), carried=(before, count), ticks=[])


def is_over(opening: Book, at: datetime) -> bool:
    """Whether its run has broken, or, without a run, its first window that can be missed has ended."""
    if runs(opening):
        return opening.resets and not status_at(opening, now=at).current
    assert isinstance(opening.calendar, Fixed)
    first = replace(opening, grace=0, resets=True)
    fatal = fatal_window(first, opening.calendar.opened - book_length(opening))
    return fatal is not None and at >= end_of(first, fatal)


def book_length(opening: Book) -> timedelta:
    assert isinstance(opening.calendar, Fixed)
    return opening.calendar.length


def rolling_status_at(book: RollingBook, *, now: datetime) -> Status:
    """Like `status_at`. No window is open if no run is running."""
    all_of_them = openings(book)
    if not all_of_them:
        return Status(0, book.rules.record, None, False, False, None, None)
    longest = max(status_at(each, now=now).longest for each in all_of_them)
    if is_over(all_of_them[-1], now):
        return Status(0, longest, None, False, False, None, None)
    return replace(status_at(all_of_them[-1], now=now), longest=longest)


def rolling_after_change(book: Book, new: RollingBook, *, at: datetime) -> RollingBook:
    """Like `after_change`, from a calendar to rolling windows. A live run can be continued in one window from the change on."""
    then = status_at(book, now=at)
    begun = (at, then.current) if then.current else None
    return replace(new, rules=replace(new.rules, record=then.longest), begun=begun)


def after_change_of_rolling(book: RollingBook, new: Book, *, at: datetime) -> Book:
    """Like `after_change`, from rolling windows to a calendar."""
    then, last = rolling_status_at(book, now=at), new.calendar.previous(new.calendar.window_at(at))
    if book.rules.ticks:
        active_at, opening = book.rules.ticks[-1].at, openings(book)[-1]
        if opening.calendar.window_at(active_at) in satisfied(opening):
            last = max(last, new.calendar.window_at(active_at))
    carried = (last, then.current) if then.current else None
    return replace(new, carried=carried, record=then.longest, since=at)
