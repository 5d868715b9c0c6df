"""A participant's windows one by one, as a calendar shows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from streaks.engine.counting import Chain, Rules, State, chains, is_window_satisfied, streak_status, windows_of
from streaks.engine.excuses import ExcusedWindows, Span, excused_windows, is_excused
from streaks.engine.windows import Windows


@dataclass(frozen=True)
class CalendarEntry:
    """One window. `is_grace`: it was missed, and the run went on all the same; `count` is the length that the run has come to
    by its end, or until now where it is open; 0 where there is none."""

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
    """Windows `first` to `last`, oldest first, but for those without a length."""
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
    """The chain that `number` is in, or that is alive behind its last window."""
    return next((chain for chain in found if chain.first <= number and (number <= chain.last or chain == alive)), None)


def _day(
    state: State, windows: Windows, number: int, chain: Chain | None, excused: ExcusedWindows, *, now: datetime
) -> CalendarEntry:
    satisfied, forgiven = is_window_satisfied(state, number), is_excused(number, excused)
    start, end = windows.start(number), windows.end(number)
    is_over = chain is not None and (number < chain.last or end <= now)
    return CalendarEntry(
        key=windows.key(number),
        start=start,
        end=end,
        is_satisfied=satisfied,
        is_excused=forgiven,
        is_grace=is_over and not satisfied and not forgiven,
        count=_count_by(state, chain, number) if start <= now else 0,
    )


def _count_by(state: State, chain: Chain | None, number: int) -> int:
    """How many windows of `chain` were satisfied by the end of window `number`."""
    if chain is None:
        return 0
    carried = state.carry_over.count if state.carry_over.count and chain.first == state.carry_over.last else 0
    own = (
        min(begin + length, number + 1) - max(begin, chain.first)
        for begin, length in state.runs
        if begin <= number and begin >= chain.first
    )
    return carried + sum(own)
