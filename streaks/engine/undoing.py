"""Undo one tick: recompute its window from the other ticks in it. Everything else follows from the windows.

For calendar windows the result is exact, whatever the order of the ticks. A tick cannot be undone where only a count is
stored: before a change of the rules, or very long ago. In rolling windows it can be undone only if no later window depends
on the tick.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from gamify.facts.engine.conditions import NO_PROGRESS, Progress, progress_after
from streaks.engine.counting import Rules, State, is_window_satisfied, windows_of
from streaks.engine.direct_ticks import count_in
from streaks.engine.rolling import Anchor, Rolling
from streaks.engine.runs import without_window
from streaks.engine.ticking import prune
from streaks.engine.windows import Windows


class Obstacle(StrEnum):
    """Why a tick cannot be undone, in words for people."""

    LONG_AGO = "It is so long ago that only a count is stored"
    FOLLOWED = "Later periods of this rolling streak depend on it"


@dataclass(frozen=True)
class OtherTick:
    """Another tick in the same window, which an event caused. `adds_to_satisfied` as in `tick`."""

    value: Any = None
    adds_to_satisfied: bool = True


@dataclass(frozen=True)
class TickToUndo:
    """The tick at `at` in `window`, with what remains without it.

    `others` are the other ticks in that window that events caused, in the order of their arrival. `last_at` is the latest
    remaining activity, or None.
    """

    at: datetime
    window: int
    others: Sequence[OtherTick]
    last_at: datetime | None


def undo_tick(state: State, rules: Rules, undoing: TickToUndo) -> State | Obstacle:
    """The state as if the tick had never happened, or the obstacle that prevents it."""
    windows, window = windows_of(state, rules), undoing.window
    since = state.direct_ticks.since
    if windows is None or window <= state.carry_over.last or (since is not None and window < since):
        return Obstacle.LONG_AGO
    left = _remaining_progress(state, rules, undoing)
    anchor, is_followed = state.anchor, False
    if isinstance(rules.windows, Rolling):
        anchor, is_followed = _anchor_without(state, rules, windows, undoing, left)
    if is_followed:
        return Obstacle.FOLLOWED
    state = replace(state, anchor=anchor, last_at=undoing.last_at or state.last_at)
    return _with_progress(state, rules, windows, window, left)


def _remaining_progress(state: State, rules: Rules, undoing: TickToUndo) -> Progress:
    """The progress of the remaining ticks. Direct ticks count only until the window is satisfied."""
    progress, direct_ticks = (
        NO_PROGRESS,
        [OtherTick(adds_to_satisfied=False)] * count_in(state.direct_ticks, undoing.window),
    )
    for tick in (*undoing.others, *direct_ticks):
        if tick.adds_to_satisfied or not progress.satisfies(rules.condition):
            progress = progress_after(progress, rules.condition, tick.value)
    return progress


def _anchor_without(
    state: State, rules: Rules, windows: Windows, undoing: TickToUndo, left: Progress
) -> tuple[Anchor | None, bool]:
    """The anchor without the tick, and whether later windows would lie elsewhere without it."""
    anchor, last_at = state.anchor, undoing.last_at
    assert anchor is not None, "there are windows"  # noqa: S101
    is_latest = last_at is None or last_at < undoing.at
    if anchor.at == undoing.at and is_latest:
        return (replace(anchor.earlier[-1], earlier=anchor.earlier[:-1]) if anchor.earlier else None), False
    has_opened = undoing.at in {anchor.at, *(each.at for each in anchor.earlier)}
    loses_window = is_window_satisfied(state, undoing.window) and not left.satisfies(rules.condition)
    has_later_activity = last_at is not None and last_at >= windows.end(undoing.window)
    return anchor, has_opened or (loses_window and has_later_activity)


def _with_progress(state: State, rules: Rules, windows: Windows, window: int, left: Progress) -> State:
    is_satisfied = left.satisfies(rules.condition)
    progress = {number: each for number, each in state.progress.items() if number != window}
    if left.count and (window in state.progress or not is_satisfied):
        progress[window] = left
    runs = state.runs if is_satisfied else without_window(state.runs, window)
    return prune(replace(state, runs=runs, progress=progress), windows)
