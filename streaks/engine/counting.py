"""What satisfied windows make of a streak (contract §10): which belong together, what counts now, when it breaks.

Two satisfied windows belong to the same *chain* when the windows missed between them number at most `grace`. A window counts as
missed when it is unsatisfied, has a length, and is not excused. Grace windows never add to the count.

Everything here is a function of the satisfied windows, the rules and an instant, so the order in which ticks arrive cannot
matter, and a reader needs no sweep to have run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from streaks.engine.runs import Runs, contains, with_window

DEFAULT_LEAD_PARTS = 6

# More windows without a length than any zone has between two visits worth asking about: an hour a year, a day a century.
MAX_SKIPPED = 100

Excused = Sequence[tuple[int, int]]
"""Ordinals of windows whose miss is forgiven: (first, last), both included, ascending, not overlapping."""


class Windows(Protocol):
    """What counting asks of windows, calendar or rolling."""

    def ordinal(self, at: datetime) -> int: ...
    def start(self, number: int) -> datetime: ...
    def is_empty(self, number: int) -> bool: ...


@dataclass(frozen=True)
class Rules:
    """How one definition counts. `grace`: windows that may be missed in a row. `resets`: whether a longer miss ends the
    chain; otherwise all satisfied windows are one. `lead`: how long before it breaks a streak is at risk; None for a sixth
    of the current window."""

    windows: Windows
    grace: int = 0
    resets: bool = True
    lead: timedelta | None = None


@dataclass(frozen=True)
class Carried:
    """What a participant had when the rules changed: a chain of `count` that ended with window `last` of the new rules
    (count 0: nothing was alive), and the `longest` chain until then."""

    count: int = 0
    longest: int = 0
    last: int = 0


NOTHING_CARRIED = Carried()


@dataclass(frozen=True)
class State:
    """One participant in one streak: everything counting needs. Ticks in windows up to `carried.last` have no effect."""

    runs: Runs = ()
    carried: Carried = NOTHING_CARRIED


@dataclass(frozen=True)
class Chain:
    """Satisfied windows that belong together: the first and last ordinal, and how many there are."""

    first: int
    last: int
    count: int


@dataclass(frozen=True)
class Standing:
    """A streak at one instant. `breaks_at` and `at_risk_at` are None where nothing is alive or nothing can break."""

    current: int
    longest: int
    is_satisfied: bool
    is_at_risk: bool
    breaks_at: datetime | None
    at_risk_at: datetime | None


@dataclass(frozen=True)
class Ticked:
    """One window was satisfied, or had been (`was_satisfied`), or is closed since the rules changed (neither: `state` is as
    it was). `count` is what the caller is told."""

    state: State
    window: int
    count: int
    longest: int
    is_new_record: bool
    was_satisfied: bool
    has_effect: bool


def chains(state: State, rules: Rules, excused: Excused = ()) -> list[Chain]:
    """The chains of `state`, oldest first; the carried one is the first where something was alive."""
    found: list[Chain] = []
    for link in _links(state):
        if found and _belong_together(found[-1].last, link.first, rules, excused):
            found[-1] = Chain(found[-1].first, link.last, found[-1].count + link.count)
        else:
            found.append(link)
    return found


def _links(state: State) -> Iterator[Chain]:
    if state.carried.count:
        yield Chain(state.carried.last, state.carried.last, state.carried.count)
    for first, length in state.runs:
        yield Chain(first, first + length - 1, length)


def _belong_together(last: int, first: int, rules: Rules, excused: Excused) -> bool:
    """Whether few enough windows were missed between two satisfied ones; counted one by one only where it is close."""
    between = first - last - 1 - _excused_between(last, first, excused)
    if not rules.resets or between <= rules.grace:
        return True
    if between > rules.grace + MAX_SKIPPED:
        return False
    return _fatal_window(last, rules, excused) >= first


def _excused_between(last: int, first: int, excused: Excused) -> int:
    return sum(max(0, min(end, first - 1) - max(begin, last + 1) + 1) for begin, end in excused)


def _fatal_window(last: int, rules: Rules, excused: Excused) -> int:
    """The window whose miss is one too many, when `last` is the last satisfied one."""
    number, left = last, rules.grace + 1
    while left:
        number = _behind_excused(number + 1, excused)
        left -= not rules.windows.is_empty(number)
    return number


def _behind_excused(number: int, excused: Excused) -> int:
    for first, last in excused:
        if first <= number <= last:
            number = last + 1
    return number


def standing(state: State, rules: Rules, *, now: datetime, excused: Excused = ()) -> Standing:
    """Where the streak stands at `now`."""
    found = chains(state, rules, excused)
    longest = max([state.carried.longest, *(chain.count for chain in found)])
    window = rules.windows.ordinal(now)
    is_satisfied = _is_satisfied(state, window)
    if not found:
        return Standing(0, longest, is_satisfied, is_at_risk=False, breaks_at=None, at_risk_at=None)
    breaks_at = _breaks_at(found[-1], rules, excused)
    if breaks_at is not None and now >= breaks_at:
        return Standing(0, longest, is_satisfied, is_at_risk=False, breaks_at=None, at_risk_at=None)
    at_risk_at = None if breaks_at is None else _at_risk_at(found[-1], rules, excused)
    is_at_risk = at_risk_at is not None and now >= at_risk_at and not is_satisfied
    return Standing(found[-1].count, longest, is_satisfied, is_at_risk, breaks_at, at_risk_at)


def _breaks_at(chain: Chain, rules: Rules, excused: Excused) -> datetime | None:
    """When the chain can no longer be continued: the end of the fatal window."""
    return rules.windows.start(_fatal_window(chain.last, rules, excused) + 1) if rules.resets else None


def _at_risk_at(chain: Chain, rules: Rules, excused: Excused) -> datetime:
    """The lead before the break, but not within the last satisfied window: who was just here is not at risk."""
    fatal = _fatal_window(chain.last, rules, excused)
    begin, end = rules.windows.start(fatal), rules.windows.start(fatal + 1)
    lead = (end - begin) / DEFAULT_LEAD_PARTS if rules.lead is None else rules.lead
    return max(end - lead, rules.windows.start(chain.last + 1))


def tick(state: State, rules: Rules, *, at: datetime, now: datetime, excused: Excused = ()) -> Ticked:
    """Satisfy the window of `at`, which may be long ago, and say what the participant then has.

    The count told is that of the live chain where one is alive after the tick, else of the chain that holds the window:
    a history sent in order counts 1, 2, 3 whatever today's date.
    """
    window = rules.windows.ordinal(at)
    before = standing(state, rules, now=now, excused=excused)
    if _is_satisfied(state, window) or window <= state.carried.last:
        count = before.current or _count_of(state, rules, window, excused)
        was_satisfied = _is_satisfied(state, window)
        return Ticked(
            state, window, count, before.longest, is_new_record=False, was_satisfied=was_satisfied, has_effect=False
        )
    after = State(with_window(state.runs, window), state.carried)
    told = standing(after, rules, now=now, excused=excused)
    count = told.current or _count_of(after, rules, window, excused)
    is_new_record = count > before.longest
    return Ticked(after, window, count, told.longest, is_new_record, was_satisfied=False, has_effect=True)


def _is_satisfied(state: State, window: int) -> bool:
    return contains(state.runs, window) or (state.carried.count > 0 and window == state.carried.last)


def _count_of(state: State, rules: Rules, window: int, excused: Excused) -> int:
    """The count of the chain that holds `window`."""
    return next((chain.count for chain in chains(state, rules, excused) if chain.first <= window <= chain.last), 0)


def carried_over(
    state: State, old: Rules, new: Rules, *, at: datetime, last_activity_at: datetime, excused: Excused = ()
) -> State:
    """`state`, which counts by `old`, as it goes on by `new` from the instant `at` of the change.

    What is alive stays alive with its count, and has the rest of the window then open to go on; if the last activity is in
    that window already, it counts as satisfied. Nothing that is dead comes back.
    """
    told = standing(state, old, now=at, excused=excused)
    last = new.windows.ordinal(at) - 1
    if told.current:
        last = max(last, new.windows.ordinal(min(last_activity_at, at)))
    return State(carried=Carried(count=told.current, longest=told.longest, last=last))
