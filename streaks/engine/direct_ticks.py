"""Ticks that no event stands for, since a client vouched for them: how many there were in each window.

They are counted in the windows as every tick is. What is kept here says what a window would have without its events, should
one of those be taken back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from streaks.engine.runs import Runs, clip, contains, with_window, without_window

# How many runs of windows are kept. Beyond, the older half is forgotten: no row grows without end.
MAX_RUNS = 1_000


@dataclass(frozen=True)
class DirectTicks:
    """`windows` are those with so many ticks, by that number, which goes no further than what is enough to satisfy one.
    `last_at` is when the latest was, in whatever window; of windows before `since` it is not known any more."""

    windows: Mapping[int, Runs] = field(default_factory=dict)
    last_at: datetime | None = None
    since: int | None = None


NO_DIRECT_TICKS = DirectTicks()


def count_in(vouched: DirectTicks, window: int) -> int:
    """How many there were in `window`, as far as they are counted."""
    return next((number for number, runs in vouched.windows.items() if contains(runs, window)), 0)


def with_tick(vouched: DirectTicks, window: int, *, enough: int) -> DirectTicks:
    """One more in `window`, of which `enough` satisfy it."""
    number = count_in(vouched, window)
    if number >= enough:
        return vouched
    windows = dict(vouched.windows)
    if number:
        windows[number] = without_window(windows[number], window)
    windows[number + 1] = with_window(windows.get(number + 1, ()), window)
    return _limit(replace(vouched, windows=_without_empty(windows)))


def clip_after(vouched: DirectTicks, last: int) -> DirectTicks:
    """Those in windows after `last`."""
    return _clip(vouched, last + 1, None)


def clip_before(vouched: DirectTicks, first: int) -> DirectTicks:
    """Those in windows before `first`."""
    return _clip(vouched, None, first)


def _clip(vouched: DirectTicks, first: int | None, end: int | None) -> DirectTicks:
    windows = {number: clip(runs, first, end) for number, runs in vouched.windows.items()}
    return replace(vouched, windows=_without_empty(windows))


def _without_empty(windows: Mapping[int, Runs]) -> dict[int, Runs]:
    return {number: runs for number, runs in windows.items() if runs}


def _limit(vouched: DirectTicks) -> DirectTicks:
    begins = sorted(first for runs in vouched.windows.values() for first, _ in runs)
    if len(begins) <= MAX_RUNS:
        return vouched
    since = begins[len(begins) // 2]
    return replace(clip_after(vouched, since - 1), since=since)
