"""What goes on when a definition's rules change, and what is kept of a very long history: both are carried over as a count."""

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
from streaks.engine.direct_ticks import DirectTicks, clip_after
from streaks.engine.excuses import Span, excused_windows
from streaks.engine.rolling import Anchor, Rolling

# How many runs are kept one by one. Beyond, the older half is kept as a count: no row grows without end.
MAX_RUNS = 1_000


def carry_over(state: State, old: Rules, new: Rules, *, at: datetime, spans: Sequence[Span] = ()) -> State:
    """`state`, which counts by `old`, as it goes on by `new` from the instant `at` of the change.

    What is alive stays alive with its count, and has the rest of the window then open to go on; if that window holds the
    latest activity, and it had satisfied its own, it is satisfied. Nothing that is dead comes back. Progress begins anew.
    """
    told = streak_status(state, old, now=at, spans=spans)
    last = _last_window(state, old, new, at=at) if told.current else _window_before(new, at)
    return State(
        carry_over=CarryOver(count=told.current, longest=told.longest, last=last, since=at),
        anchor=Anchor(at, last + 1) if told.current and isinstance(new.windows, Rolling) else None,
        last_at=state.last_at,
        paid=_paid_by(told.alive, state.paid, last),
        direct_ticks=DirectTicks(last_at=state.direct_ticks.last_at),
    )


def _window_before(rules: Rules, at: datetime) -> int:
    """The window before the one that is open at `at`; rolling ones are counted from the change."""
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
    """What `chain` has paid goes on with it, under the window that it now ends with; what others paid is only remembered."""
    return tuple(dict.fromkeys((threshold, last if _is_in(chain, window) else None) for threshold, window in paid))


def _is_in(chain: Chain | None, window: int | None) -> bool:
    return chain is not None and window is not None and chain.first <= window <= chain.last


def compact(state: State, rules: Rules, spans: Sequence[Span] = ()) -> State:
    """`state` with the older half of its runs as a count, where there are more than MAX_RUNS; it stands as it stood."""
    windows = windows_of(state, rules)
    if len(state.runs) <= MAX_RUNS or windows is None:
        return state
    cut = len(state.runs) - MAX_RUNS // 2
    older = replace(state, runs=state.runs[:cut])
    found = chains(older, rules, excused_windows(windows, spans))
    longest = max([state.carry_over.longest, *(chain.count for chain in found)])
    last = found[-1]
    carried = CarryOver(count=last.count, longest=longest, last=last.last, since=state.carry_over.since)
    paid = _paid_before(last, state.paid)
    return replace(
        state,
        runs=state.runs[cut:],
        carry_over=carried,
        paid=paid,
        direct_ticks=clip_after(state.direct_ticks, carried.last),
    )


def _paid_before(chain: Chain, paid: Payments) -> Payments:
    """What was paid behind the cut keeps its window; up to it, as in a change of rules."""
    return tuple(
        dict.fromkeys(
            (threshold, window)
            if window is None or window > chain.last
            else _paid_by(chain, ((threshold, window),), chain.last)[0]
            for threshold, window in paid
        )
    )
