"""A participant's windows one by one, for calendars."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from streaks.engine.counting import Chain, Rules, State, chains, is_window_satisfied, streak_status, windows_of
from streaks.engine.excuses import ExcusedWindows, Span, excused_windows, is_excused
from streaks.engine.windows import Windows


@dataclass(frozen=True)
class CalendarEntry:
    """One window.

    `is_grace`: the window was missed, and the run went on. `count` is the length of the run at the end of the window, or
    now if the window is open. It is 0 if there is no run.
    """

    key: str
    start: datetime
    end: datetime
    is_satisfied: bool
    is_excused: bool
    is_grace: bool
    count: int


def calendar_entries(
    state: State, rules: Rules, *, first: int, last: int, now: datetime, spans: Sequence[Span] = ()
) -> Iterator[CalendarEntry]:
    """The windows from `first` to `last`, both included, oldest first. Windows without a length are left out."""
    windows = windows_of(state, rules)
    if windows is None:
        return
    excused = excused_windows(windows, spans)
    found = chains(state, rules, excused)
    alive = streak_status(state, rules, now=now, spans=spans).alive
    for number in range(first, last + 1):
        if not windows.is_empty(number):
            yield _day(state, windows, number, _chain_over(found, alive, number), excused, now=now)


def _chain_over(found: Sequence[Chain], alive: Chain | None, number: int) -> Chain | None:
    """The chain that contains window `number`, or the live chain if it ended before that window."""
    return next((chain for chain in found if chain.first <= number and (number <= chain.last or chain == alive)), None)


def _day(
    state: State, windows: Windows, number: int, chain: Chain | None, excused: ExcusedWindows, *, now: datetime
) -> CalendarEntry:
    satisfied, excused_here = is_window_satisfied(state, number), is_excused(number, excused)
    start, end = windows.start(number), windows.end(number)
    is_over = chain is not None and (number < chain.last or end <= now)
    return CalendarEntry(
        key=windows.key(number),
        start=start,
        end=end,
        is_satisfied=satisfied,
        is_excused=excused_here,
        is_grace=is_over and not satisfied and not excused_here,
        count=_count_by(state, chain, number) if start <= now else 0,
    )


def _count_by(state: State, chain: Chain | None, number: int) -> int:
    """The number of windows of `chain` that are satisfied by the end of window `number`."""
    if chain is None:
        return 0
    carried = state.carry_over.count if state.carry_over.count and chain.first == state.carry_over.last else 0
    own = (
        min(begin + length, number + 1) - max(begin, chain.first)
        for begin, length in state.runs
        if begin <= number and begin >= chain.first
    )
    return carried + sum(own)
