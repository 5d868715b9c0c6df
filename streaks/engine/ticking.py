"""One tick: its window, whether it satisfies that window, and the status of the streak before and after (docs/contract.md §10)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from gamify.facts.engine.conditions import NO_PROGRESS, Progress, progress_after
from streaks.engine.carrying import compact
from streaks.engine.counting import (
    Chain,
    Rules,
    State,
    StreakStatus,
    chain_with,
    chains,
    is_window_satisfied,
    streak_status,
    windows_of,
)
from streaks.engine.direct_ticks import clip_ticks, with_tick
from streaks.engine.excuses import Span, excused_windows
from streaks.engine.rolling import Anchor, Rolling
from streaks.engine.runs import with_window
from streaks.engine.windows import Windows

MAX_LATENESS = timedelta(days=35)


@dataclass(frozen=True)
class TickResult:
    """The effect of one tick.

    `before` and `after` are the status of the streak around it. `chain` contains the tick's window; it is None if that
    window is not satisfied. `was_satisfied`: the window was satisfied before the tick. `is_satisfying`: the tick satisfied
    it. If both are false, the tick added to the window's progress or had no effect. Without effect, `window` is None.
    """

    state: State
    before: StreakStatus
    after: StreakStatus
    chain: Chain | None
    was_satisfied: bool
    is_satisfying: bool
    window: int | None = None

    @property
    def count(self) -> int:
        """The length of the run that is alive after the tick, else of the run that contains the tick's window, else 0."""
        return self.after.current or (self.chain.count if self.chain else 0)

    @property
    def is_new_record(self) -> bool:
        return self.count > self.before.longest


def tick(
    state: State,
    rules: Rules,
    *,
    at: datetime,
    now: datetime,
    value: Any = None,
    adds_to_satisfied: bool = True,
    is_direct: bool = False,
    spans: Sequence[Span] = (),
) -> TickResult:
    """Count the tick at `at`, which may be long ago.

    `value` is the value of the condition's field. `adds_to_satisfied`: the tick adds to the progress of a window that is
    already satisfied. `is_direct`: the tick was recorded without an event. `spans` are the excused times.

    These ticks have no effect:

    - ticks from before a change of the rules;
    - in rolling windows, ticks from before the run opened;
    - for conditions other than "any tick", ticks that are more than MAX_LATENESS older than the newest one.

    They still become the latest activity if no later one is known.
    """
    before = streak_status(state, rules, now=now, spans=spans)
    state = _open_window(_with_activity(state, at=at, is_direct=is_direct), rules, at=at, spans=spans)
    windows = windows_of(state, rules)
    if windows is None:
        return TickResult(state, before, before, chain=None, was_satisfied=False, is_satisfying=False)
    window = windows.ordinal(at)
    was_satisfied, has_effect = is_window_satisfied(state, window), _has_effect(state, rules, window, at=at)
    if has_effect:
        adds_progress = adds_to_satisfied or not was_satisfied
        state = _count(state, rules, windows, window, value, adds_progress=adds_progress, is_direct=is_direct)
    counted = compact(state, rules, spans)
    return TickResult(
        state=counted,
        before=before,
        after=streak_status(counted, rules, now=now, spans=spans),
        chain=chain_with(chains(counted, rules, excused_windows(windows, spans)), window),
        was_satisfied=was_satisfied,
        is_satisfying=not was_satisfied and is_window_satisfied(counted, window),
        window=window if has_effect else None,
    )


def _with_activity(state: State, *, at: datetime, is_direct: bool) -> State:
    state = state.with_changes(last_at=_latest(state.last_at, at))
    if not is_direct:
        return state
    return state.with_changes(direct_ticks=replace(state.direct_ticks, last_at=_latest(state.direct_ticks.last_at, at)))


def _latest(last_at: datetime | None, at: datetime) -> datetime:
    return at if last_at is None else max(last_at, at)


def _open_window(state: State, rules: Rules, *, at: datetime, spans: Sequence[Span]) -> State:
    """Open a rolling window with this tick if none is running at `at`.

    Progress in the windows of earlier runs is dropped, because no tick can add to it.
    """
    if not isinstance(rules.windows, Rolling) or _is_older_than_rules(state, at):
        return state
    if streak_status(state, rules, now=at, spans=spans).window is not None:
        return state
    anchor = _anchor_at(state, rules.windows, at=at)
    return state.with_changes(
        anchor=anchor, progress={}, direct_ticks=clip_ticks(state.direct_ticks, None, anchor.first)
    )


def _anchor_at(state: State, rolling: Rolling, *, at: datetime) -> Anchor:
    """The new anchor, numbered after the windows of earlier runs. Only anchors that are still in use are stored with it."""
    earlier = _anchors_in_use(state)
    if not earlier:
        return Anchor(at, state.carry_over.last + 1)
    newest = replace(earlier[-1], earlier=earlier[:-1])
    return Anchor(at, rolling.windows_from(newest).ordinal(at), earlier)


def _anchors_in_use(state: State) -> tuple[Anchor, ...]:
    """The anchors with a satisfied window that has not become part of the carry-over. The others are dropped, so that a row
    stays small.
    """
    if state.anchor is None:
        return ()
    anchors = (*state.anchor.earlier, replace(state.anchor, earlier=()))
    ends = [*(anchor.first for anchor in anchors[1:]), None]
    begins = [first for first, _ in state.runs]
    last = max([state.carry_over.last if state.carry_over.count else -1, *begins])
    return tuple(
        anchor
        for anchor, end in zip(anchors, ends, strict=True)
        if anchor.first - 1 <= last and (end is None or end > state.carry_over.last)
    )


def _is_older_than_rules(state: State, at: datetime) -> bool:
    return state.carry_over.since is not None and at < state.carry_over.since


def _has_effect(state: State, rules: Rules, window: int, *, at: datetime) -> bool:
    carried = state.carry_over
    if _is_older_than_rules(state, at):
        return False
    if window < carried.last or (window == carried.last and not carried.count):
        return False
    if state.anchor is not None and window < state.anchor.first:
        return False
    is_too_late = state.last_at is not None and at < state.last_at - MAX_LATENESS
    return rules.condition.is_any_tick or not is_too_late


def _count(
    state: State, rules: Rules, windows: Windows, window: int, value: Any, *, adds_progress: bool, is_direct: bool
) -> State:
    """Add the tick to `window`: to its direct ticks, unless they are enough to satisfy a window, and to its progress."""
    if is_direct:
        enough = max(1, ceil(rules.condition.minimum))
        state = state.with_changes(direct_ticks=with_tick(state.direct_ticks, window, enough=enough))
    return _add_progress(state, rules, windows, window, value) if adds_progress else state


def _add_progress(state: State, rules: Rules, windows: Windows, window: int, value: Any) -> State:
    progress = {
        **state.progress,
        window: progress_after(state.progress.get(window, NO_PROGRESS), rules.condition, value),
    }
    runs = state.runs
    if not is_window_satisfied(state, window) and progress[window].satisfies(rules.condition):
        runs = with_window(runs, window)
    return prune(state.with_changes(runs=runs, progress=progress), windows)


def prune(state: State, windows: Windows) -> State:
    """Drop progress that no reader can see and no tick can add to."""
    if len(state.progress) <= 1 or state.last_at is None:
        return state
    newest, horizon = windows.ordinal(state.last_at), state.last_at - MAX_LATENESS
    progress: Mapping[int, Progress] = {
        window: each
        for window, each in state.progress.items()
        if window >= newest - 1 or (not is_window_satisfied(state, window) and windows.end(window) > horizon)
    }
    return state.with_changes(progress=progress)
