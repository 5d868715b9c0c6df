"""Times in which missing a window is forgiven: pauses of a streak, amnesties of a tenant, freezes of a participant.

They are spans of instants, and excuse every window that they overlap. Satisfying an excused window counts all the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from streaks.engine.windows import Windows

Span = tuple[datetime, datetime | None]
"""[begin, end), both aware; None while it lasts. A span without a length is the instant of its begin."""

ExcusedWindows = Sequence[tuple[int, int]]
"""Ordinals of excused windows: (first, last), both included, ascending, never overlapping or touching."""

FOREVER = 2**60
"""The last window of a span that has not ended."""

_INSTANT = timedelta(microseconds=1)


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
    """`span`, cut where the numbers of windows may jump: of somebody who travels, later instants may be in earlier windows."""
    begin, end = span
    for at in windows.jumps:
        if begin < at and (end is None or at < end):
            yield begin, at
            begin = at
    yield begin, end


def _overlapped(windows: Windows, piece: Span) -> tuple[int, int]:
    begin, end = piece
    first = windows.ordinal(begin)
    return first, FOREVER if end is None else windows.ordinal(max(begin, end - _INSTANT))


def is_excused(number: int, excused: ExcusedWindows) -> bool:
    """Whether missing window `number` is forgiven."""
    return any(first <= number <= last for first, last in excused)


def excused_between(last: int, first: int, excused: ExcusedWindows) -> int:
    """How many windows strictly between two are excused."""
    return sum(max(0, min(end, first - 1) - max(begin, last + 1) + 1) for begin, end in excused)


def next_unexcused(number: int, excused: ExcusedWindows) -> int:
    """The first window from `number` on that is not excused; beyond FOREVER where there is none."""
    for first, last in excused:
        if first <= number <= last:
            number = last + 1
    return number
