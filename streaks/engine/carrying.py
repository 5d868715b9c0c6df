"""Carry-overs: counts that replace windows when a definition's rules change, and when a history becomes very long."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from streaks.engine.counting import (
    CarryOver,
    Chain,
    Payments,
    Rules,
    State,
    chains,
    is_window_satisfied,
    streak_status,
    windows_of,
)
from streaks.engine.direct_ticks import DirectTicks, clip_ticks
from streaks.engine.excuses import Span, excused_windows
from streaks.engine.rolling import Anchor, Rolling
from streaks.engine.runs import MAX_RUNS


def carry_over(state: State, old: Rules, new: Rules, *, at: datetime, spans: Sequence[Span] = ()) -> State:
    """Convert a state under the rules `old` to one under the rules `new`, which apply from the instant `at`.

    A live run stays alive with its count, and can be continued in the window that is open at `at`. That window counts as
    satisfied if it contains the latest activity and that activity's old window was satisfied. A broken run stays broken.
    Progress inside windows is dropped.
    """
    status = streak_status(state, old, now=at, spans=spans)
    last = _last_window(state, old, new, at=at) if status.current else _window_before(new, at)
    return State(
        carry_over=CarryOver(count=status.current, longest=status.longest, last=last, since=at),
        anchor=Anchor(at, last + 1) if status.current and isinstance(new.windows, Rolling) else None,
        last_at=state.last_at,
        paid=_paid_by(status.alive, state.paid, last),
        direct_ticks=DirectTicks(last_at=state.direct_ticks.last_at),
    )


def _window_before(rules: Rules, at: datetime) -> int:
    """The window before the one that is open at `at`. Rolling windows are numbered from the change, so it is 0."""
    return 0 if isinstance(rules.windows, Rolling) else rules.windows.ordinal(at) - 1


def _last_window(state: State, old: Rules, new: Rules, *, at: datetime) -> int:
    before, windows = _window_before(new, at), windows_of(state, old)
    if isinstance(new.windows, Rolling) or windows is None or state.last_at is None:
        return before
    active_at = min(state.last_at, at)
    if not is_window_satisfied(state, windows.ordinal(active_at)):
        return before
    return max(before, new.windows.ordinal(active_at))


def _paid_by(chain: Chain | None, paid: Payments, last: int) -> Payments:
    """Move the payments of `chain` to window `last`, where the carried run now ends. Other payments lose their window."""
    own = range(0) if chain is None else range(chain.first, chain.last + 1)
    return tuple(dict.fromkeys((threshold, last if window in own else None) for threshold, window in paid))


def compact(state: State, rules: Rules, spans: Sequence[Span] = ()) -> State:
    """Replace the older half of the runs by a count if there are more than MAX_RUNS. The status of the streak stays the same."""
    windows = windows_of(state, rules)
    if len(state.runs) <= MAX_RUNS or windows is None:
        return state
    cut = len(state.runs) - MAX_RUNS // 2
    older = replace(state, runs=state.runs[:cut])
    found = chains(older, rules, excused_windows(windows, spans))
    longest = max([state.carry_over.longest, *(chain.count for chain in found)])
    last = found[-1]
    carry = CarryOver(count=last.count, longest=longest, last=last.last, since=state.carry_over.since)
    paid = _paid_before(last, state.paid)
    return replace(
        state,
        runs=state.runs[cut:],
        carry_over=carry,
        paid=paid,
        direct_ticks=clip_ticks(state.direct_ticks, carry.last + 1, None),
    )


def _paid_before(chain: Chain, paid: Payments) -> Payments:
    """Payments after `chain` keep their window. Earlier ones are treated as in a change of rules."""
    return tuple(
        dict.fromkeys(
            (threshold, window)
            if window is None or window > chain.last
            else _paid_by(chain, ((threshold, window),), chain.last)[0]
            for threshold, window in paid
        )
    )
