"""A tick is taken back: its window is worked out anew from the ticks that stand, and everything else follows from the windows.

Where calendar windows partition time this is exact, in whatever order ticks came. It is not known any more where only a count is
kept: from before a change of the rules, and of what is very long ago. In rolling windows, which begin with a tick, it is exact
as long as nothing came after that lies where it does because of the tick.
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
    """Why a tick cannot be taken back, for people."""

    LONG_AGO = "It is so long ago that only a count is kept"
    FOLLOWED = "Later periods of this rolling streak lie where they do because of it"


@dataclass(frozen=True)
class OtherTick:
    """A tick that stands in the same window, for which there is an event. `counts_on`: it counts in a window that is satisfied already, too."""

    value: Any = None
    adds_to_satisfied: bool = True


@dataclass(frozen=True)
class TickToUndo:
    """The tick at `at` in `window`, the ticks of that window that stand, in the order in which they came in, and `last_at`, the
    latest activity that is left, None for none."""

    at: datetime
    window: int
    others: Sequence[OtherTick]
    last_at: datetime | None


def undo_tick(state: State, rules: Rules, undoing: TickToUndo) -> State | Obstacle:
    """`state` as if the tick had never been, or what stands against it."""
    windows, window = windows_of(state, rules), undoing.window
    since = state.direct_ticks.since
    if windows is None or window <= state.carry_over.last or (since is not None and window < since):
        return Obstacle.LONG_AGO
    left = _left(state, rules, undoing)
    anchor, is_followed = state.anchor, False
    if isinstance(rules.windows, Rolling):
        anchor, is_followed = _grid(state, rules, windows, undoing, left)
    if is_followed:
        return Obstacle.FOLLOWED
    state = replace(state, anchor=anchor, last_at=undoing.last_at or state.last_at)
    return _with(state, rules, windows, window, left)


def _left(state: State, rules: Rules, undoing: TickToUndo) -> Progress:
    """What the ticks that stand come to; those that a client vouched for count where events have not satisfied the window."""
    progress, vouched = NO_PROGRESS, [OtherTick(adds_to_satisfied=False)] * count_in(state.direct_ticks, undoing.window)
    for tick in (*undoing.others, *vouched):
        if tick.adds_to_satisfied or not progress.satisfies(rules.condition):
            progress = progress_after(progress, rules.condition, tick.value)
    return progress


def _grid(
    state: State, rules: Rules, windows: Windows, undoing: TickToUndo, left: Progress
) -> tuple[Anchor | None, bool]:
    """Where rolling windows lie without the tick, and whether something came since that would lie elsewhere."""
    anchor, last_at = state.anchor, undoing.last_at
    assert anchor is not None, "there are windows"  # noqa: S101
    is_latest = last_at is None or last_at < undoing.at
    if anchor.at == undoing.at and is_latest:
        return (replace(anchor.earlier[-1], earlier=anchor.earlier[:-1]) if anchor.earlier else None), False
    has_opened = undoing.at in {anchor.at, *(each.at for each in anchor.earlier)}
    is_lost = is_window_satisfied(state, undoing.window) and not left.satisfies(rules.condition)
    goes_on = last_at is not None and last_at >= windows.end(undoing.window)
    return anchor, has_opened or (is_lost and goes_on)


def _with(state: State, rules: Rules, windows: Windows, window: int, left: Progress) -> State:
    is_satisfied = left.satisfies(rules.condition)
    progress = {number: each for number, each in state.progress.items() if number != window}
    if left.count and (window in state.progress or not is_satisfied):
        progress[window] = left
    runs = state.runs if is_satisfied else without_window(state.runs, window)
    return prune(replace(state, runs=runs, progress=progress), windows)
