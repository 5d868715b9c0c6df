"""Times in which a window may be missed: pauses of a streak, amnesties of a tenant, freezes of a participant.

They are spans of instants. A span excuses every window that it overlaps. An excused window that is satisfied still counts.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from streaks.engine.windows import Windows

Span = tuple[datetime, datetime | None]
"""[begin, end), both aware. `end` is None while the span lasts. A span with begin == end covers that one instant."""

ExcusedWindows = Sequence[tuple[int, int]]
"""Ranges of ordinals: (first, last), both included, in ascending order, without overlaps and with gaps between them."""

FOREVER = 2**60
"""Stands in for the last window of a span that has no end."""

INSTANT = timedelta(microseconds=1)
"""The resolution of instants: the last one before a half-open end is `end - INSTANT`."""


def excused_windows(windows: Windows, spans: Iterable[Span]) -> ExcusedWindows:
    """The windows that `spans` overlap."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(_overlapped(windows, piece) for span in spans for piece in _pieces(windows, span)):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _pieces(windows: Windows, span: Span) -> Iterator[Span]:
    """Cut `span` at the jumps of the ordinals. After a change of zone, later instants may be in earlier windows."""
    begin, end = span
    for at in windows.jumps:
        if begin < at and (end is None or at < end):
            yield begin, at
            begin = at
    yield begin, end


def _overlapped(windows: Windows, piece: Span) -> tuple[int, int]:
    begin, end = piece
    first = windows.ordinal(begin)
    return first, FOREVER if end is None else windows.ordinal(max(begin, end - INSTANT))


def is_excused(number: int, excused: ExcusedWindows) -> bool:
    """Whether window `number` may be missed."""
    return any(first <= number <= last for first, last in excused)


def excused_between(last: int, first: int, excused: ExcusedWindows) -> int:
    """The number of excused windows strictly between `last` and `first`."""
    return sum(max(0, min(end, first - 1) - max(begin, last + 1) + 1) for begin, end in excused)


def next_unexcused(number: int, excused: ExcusedWindows) -> int:
    """The first window at or after `number` that is not excused. It is greater than FOREVER if there is none."""
    for first, last in excused:
        if first <= number <= last:
            number = last + 1
    return number
