"""Direct ticks: ticks that a client recorded without an event, counted per window.

They add to a window's progress like every other tick. They are also stored here, so that a window can be recomputed
when an event in it is reversed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from streaks.engine.runs import MAX_RUNS, Runs, clip, contains, with_window, without_window


@dataclass(frozen=True)
class DirectTicks:
    """The direct ticks of one participant in one streak.

    `windows` maps a number of ticks to the windows that have that many. The number stops at the one that satisfies a
    window. `last_at` is the timestamp of the latest direct tick. Windows before `since` are no longer known.
    """

    windows: Mapping[int, Runs] = field(default_factory=dict)
    last_at: datetime | None = None
    since: int | None = None


NO_DIRECT_TICKS = DirectTicks()


def count_in(ticks: DirectTicks, window: int) -> int:
    """The number of direct ticks stored for `window`."""
    return next((number for number, runs in ticks.windows.items() if contains(runs, window)), 0)


def with_tick(ticks: DirectTicks, window: int, *, enough: int) -> DirectTicks:
    """Add one tick to `window`, unless it has `enough` ticks already. `enough` is the number that satisfies a window."""
    number = count_in(ticks, window)
    if number >= enough:
        return ticks
    windows = dict(ticks.windows)
    if number:
        windows[number] = without_window(windows[number], window)
    windows[number + 1] = with_window(windows.get(number + 1, ()), window)
    return _limit(replace(ticks, windows=_without_empty(windows)))


def clip_ticks(ticks: DirectTicks, first: int | None, end: int | None) -> DirectTicks:
    """Keep the ticks in windows from `first`, and before `end`. None means no bound."""
    windows = {number: clip(runs, first, end) for number, runs in ticks.windows.items()}
    return replace(ticks, windows=_without_empty(windows))


def _without_empty(windows: Mapping[int, Runs]) -> dict[int, Runs]:
    return {number: runs for number, runs in windows.items() if runs}


def _limit(ticks: DirectTicks) -> DirectTicks:
    begins = sorted(first for runs in ticks.windows.values() for first, _ in runs)
    if len(begins) <= MAX_RUNS:
        return ticks
    since = begins[len(begins) // 2]
    return replace(clip_ticks(ticks, since, None), since=since)
