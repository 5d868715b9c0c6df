"""What satisfied windows make of a streak (contract §10): which belong together, what counts now, when it breaks.

Two satisfied windows belong to the same *chain* when the windows missed between them number at most `grace`. A window counts as
missed when it is unsatisfied, has a length, and is not excused. Grace windows never add to the count.

A chain is alive until its fatal window is over, the one whose miss is one too many. It is at risk from the lead before that
instant on, while the window that is open is unsatisfied. Rolling windows: see `rolling` for where they lie; runs of different
anchors are chained by the same rule, so that only an excuse which meets the windows missed revives a broken one.

Everything here is a function of the satisfied windows, the rules and an instant, so the order in which ticks arrive cannot
matter, and a reader needs no sweep to have run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gamify.facts.engine.conditions import ANY_TICK, Condition, Progress
from streaks.engine.direct_ticks import NO_DIRECT_TICKS, DirectTicks
from streaks.engine.excuses import FOREVER, ExcusedWindows, Span, excused_between, excused_windows, next_unexcused
from streaks.engine.rolling import Anchor, Rolling
from streaks.engine.runs import Runs, contains
from streaks.engine.windows import Windows

DEFAULT_LEAD_PARTS = 6

# More windows without a length than any zone has between two visits worth asking about: an hour a year, a day a century.
MAX_SKIPPED = 100


@dataclass(frozen=True)
class Rules:
    """How one definition counts. `grace`: windows that may be missed in a row. `resets`: whether a longer miss ends the
    chain; otherwise all satisfied windows are one. `lead`: how long before it breaks a streak is at risk; None for a sixth
    of the window at whose end it breaks, zero for a streak that is never at risk."""

    windows: Windows | Rolling
    grace: int = 0
    resets: bool = True
    lead: timedelta | None = None
    condition: Condition = ANY_TICK


@dataclass(frozen=True)
class CarryOver:
    """What a participant had when the rules changed at the instant `since`: a chain of `count` that ended with window `last`
    of the new rules (count 0: nothing was alive), and the `longest` chain until then. Without `since` no rule changed: it is
    what old windows of the same rules come to, which are not kept one by one."""

    count: int = 0
    longest: int = 0
    last: int = 0
    since: datetime | None = None


NO_CARRY_OVER = CarryOver()

Payments = tuple[tuple[int, int | None], ...]
"""Milestones that were paid: (threshold, a window of the chain that reached it; None where that chain is gone)."""


@dataclass(frozen=True)
class State:
    """One participant in one streak: everything counting needs. Ticks in windows up to `carried.last` have no effect.

    `progress` is kept of the newest windows, and of unsatisfied ones that late ticks may still reach. `anchor` says where
    rolling windows lie, None until the first tick. `last_at` is the latest timestamp of any tick. `vouched` are those that no
    event stands for.
    """

    runs: Runs = ()
    carry_over: CarryOver = NO_CARRY_OVER
    progress: Mapping[int, Progress] = field(default_factory=dict)
    anchor: Anchor | None = None
    last_at: datetime | None = None
    paid: Payments = ()
    direct_ticks: DirectTicks = NO_DIRECT_TICKS


@dataclass(frozen=True)
class Chain:
    """Satisfied windows that belong together: the first and last ordinal, and how many there are."""

    first: int
    last: int
    count: int


@dataclass(frozen=True)
class StreakStatus:
    """A streak at one instant. `window` is the number of the window that is open, None for a rolling streak that is not
    running. `breaks_at` and `at_risk_at` are None where nothing is alive or nothing can break. `latest` is the last chain,
    alive or not."""

    current: int
    longest: int
    window: int | None
    is_satisfied: bool
    is_at_risk: bool
    breaks_at: datetime | None
    at_risk_at: datetime | None
    latest: Chain | None

    @property
    def alive(self) -> Chain | None:
        """The chain that is alive."""
        return self.latest if self.current else None


def windows_of(state: State, rules: Rules) -> Windows | None:
    """The windows of this participant; None for rolling ones that no tick has opened yet."""
    if not isinstance(rules.windows, Rolling):
        return rules.windows
    return None if state.anchor is None else rules.windows.windows_from(state.anchor)


def chains(state: State, rules: Rules, excused: ExcusedWindows = ()) -> list[Chain]:
    """The chains of `state`, oldest first; the carried one is the first where something was alive."""
    windows, found = windows_of(state, rules), list[Chain]()
    for link in _links(state):
        if found and windows and _belong_together(found[-1].last, link.first, windows, rules, excused):
            found[-1] = Chain(found[-1].first, link.last, found[-1].count + link.count)
        else:
            found.append(link)
    return found


def _links(state: State) -> Iterator[Chain]:
    if state.carry_over.count:
        yield Chain(state.carry_over.last, state.carry_over.last, state.carry_over.count)
    for first, length in state.runs:
        yield Chain(first, first + length - 1, length)


def _belong_together(last: int, first: int, windows: Windows, rules: Rules, excused: ExcusedWindows) -> bool:
    """Whether few enough windows were missed between two satisfied ones; counted one by one only where it is close."""
    between = first - last - 1 - excused_between(last, first, excused)
    if not rules.resets or between <= rules.grace:
        return True
    if between > rules.grace + MAX_SKIPPED:
        return False
    return fatal_window(last, windows, excused, grace=rules.grace) >= first


def fatal_window(last: int, windows: Windows, excused: ExcusedWindows, *, grace: int) -> int:
    """The window whose miss is one too many, when `last` is the last satisfied one; FOREVER where an excuse has no end."""
    number, left = last, grace + 1
    while left:
        number = next_unexcused(number + 1, excused)
        if number >= FOREVER:
            return FOREVER
        left -= not windows.is_empty(number)
    return number


def streak_status(state: State, rules: Rules, *, now: datetime, spans: Sequence[Span] = ()) -> StreakStatus:
    """Where the streak stands at `now`; `spans` are the times that are excused."""
    windows = windows_of(state, rules)
    if windows is None:
        return StreakStatus(0, state.carry_over.longest, None, False, False, None, None, None)  # noqa: FBT003 - nothing is there
    excused = excused_windows(windows, spans)
    found = chains(state, rules, excused)
    longest = max([state.carry_over.longest, *(chain.count for chain in found)])
    fatal = fatal_window_of(found, windows, rules, excused)
    breaks_at = None if fatal is None else windows.end(fatal)
    if not found or (breaks_at is not None and now >= breaks_at):
        return _not_running(state, rules, windows, found, longest, now=now, excused=excused)
    return _running(state, rules, windows, found[-1], longest, fatal=fatal, now=now)


def fatal_window_of(found: Sequence[Chain], windows: Windows, rules: Rules, excused: ExcusedWindows) -> int | None:
    """The window at whose end the last chain breaks; None where there is none, or nothing can break it."""
    if not found or not rules.resets:
        return None
    fatal = fatal_window(found[-1].last, windows, excused, grace=rules.grace)
    return None if fatal == FOREVER else fatal


def _not_running(
    state: State,
    rules: Rules,
    windows: Windows,
    found: Sequence[Chain],
    longest: int,
    *,
    now: datetime,
    excused: ExcusedWindows,
) -> StreakStatus:
    """Calendar windows go on without anybody; a rolling one is there only while the tick that opened it is young."""
    window: int | None = windows.ordinal(now)
    if (
        state.anchor is not None
        and isinstance(rules.windows, Rolling)
        and _has_lapsed(state, windows, excused, now=now)
    ):
        window = None
    return StreakStatus(
        current=0,
        longest=longest,
        window=window,
        is_satisfied=window is not None and is_window_satisfied(state, window),
        is_at_risk=False,
        breaks_at=None,
        at_risk_at=None,
        latest=found[-1] if found else None,
    )


def _has_lapsed(state: State, windows: Windows, excused: ExcusedWindows, *, now: datetime) -> bool:
    assert state.anchor is not None, "rolling windows lie on an anchor"  # noqa: S101
    opened = fatal_window(state.anchor.first - 1, windows, excused, grace=0)
    return opened != FOREVER and now >= windows.end(opened)


def _running(
    state: State, rules: Rules, windows: Windows, chain: Chain, longest: int, *, fatal: int | None, now: datetime
) -> StreakStatus:
    window = windows.ordinal(now)
    is_satisfied = is_window_satisfied(state, window)
    breaks_at = None if fatal is None else windows.end(fatal)
    at_risk_at = None if fatal is None else _at_risk_at(chain, fatal, windows, rules)
    is_at_risk = at_risk_at is not None and now >= at_risk_at and not is_satisfied
    return StreakStatus(chain.count, longest, window, is_satisfied, is_at_risk, breaks_at, at_risk_at, chain)


def _at_risk_at(chain: Chain, fatal: int, windows: Windows, rules: Rules) -> datetime | None:
    """The lead before the break, but not within the last satisfied window: who was just here is not at risk.

    None where the lead is zero: the streak is never at risk.
    """
    begin, end = windows.start(fatal), windows.end(fatal)
    lead = (end - begin) / DEFAULT_LEAD_PARTS if rules.lead is None else rules.lead
    return max(end - lead, windows.end(chain.last)) if lead else None


def is_window_satisfied(state: State, number: int) -> bool:
    """Whether window `number` counted, now or before the rules changed."""
    return contains(state.runs, number) or (state.carry_over.count > 0 and number == state.carry_over.last)


def chain_with(found: Sequence[Chain], window: int) -> Chain | None:
    """The chain that holds `window`."""
    return next((chain for chain in found if chain.first <= window <= chain.last), None)
