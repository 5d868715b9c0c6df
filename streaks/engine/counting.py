"""The status of a streak, computed from its satisfied windows (docs/contract.md §10).

Two satisfied windows belong to the same *chain* if at most `grace` windows between them were missed. A window is missed if
it is unsatisfied, has a length, and is not excused. Grace windows never add to the count. The API calls a chain a run.

A chain is alive until its *fatal window* ends: the window whose miss is one too many. It is at risk during the lead time
before that instant, while the open window is unsatisfied. The same rule joins runs of rolling windows with different
anchors (see `rolling`). So an excuse revives a broken run only if it covers the windows that were missed.

Everything here is a function of the satisfied windows, the rules and an instant. So the order in which ticks arrive does not
matter, and reads do not depend on a sweep.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gamify.facts.engine.conditions import ANY_TICK, Condition, Progress
from streaks.engine.direct_ticks import NO_DIRECT_TICKS, DirectTicks
from streaks.engine.excuses import FOREVER, ExcusedWindows, Span, excused_between, excused_windows, next_unexcused
from streaks.engine.rolling import Anchor, Rolling
from streaks.engine.runs import Runs, contains
from streaks.engine.windows import Windows

DEFAULT_LEAD_PARTS = 6

# More windows without a length than any zone has in a realistic gap: zones skip an hour per year and a day per century.
MAX_SKIPPED = 100


@dataclass(frozen=True)
class Rules:
    """How one definition counts.

    `grace` is the number of windows that may be missed in a row. `resets`: a longer miss ends the chain; if false, all
    satisfied windows are one chain. `lead` is the time before the break in which a streak is at risk. None means a sixth of
    the fatal window; zero means that the streak is never at risk.
    """

    windows: Windows | Rolling
    grace: int = 0
    resets: bool = True
    lead: timedelta | None = None
    condition: Condition = ANY_TICK


@dataclass(frozen=True)
class CarryOver:
    """The count that a participant had when the rules changed at the instant `since`.

    It is a chain of `count` windows that ended with window `last` of the new rules. `count` is 0 if no run was alive.
    `longest` is the longest chain until then. Without `since` the rules did not change: the carry-over replaces old
    windows under the same rules, which are no longer stored one by one.
    """

    count: int = 0
    longest: int = 0
    last: int = 0
    since: datetime | None = None


NO_CARRY_OVER = CarryOver()

Payments = tuple[tuple[int, int | None], ...]
"""Paid milestones: (threshold, a window of the chain that reached it). The window is None if that chain is gone."""


@dataclass(frozen=True)
class State:
    """Everything that the engine needs to know about one participant in one streak.

    Ticks in windows before `carry_over.last` have no effect. `progress` is stored for the newest windows, and for unsatisfied
    windows that late ticks may still reach. `anchor` is the start of rolling windows; it is None until the first tick.
    `last_at` is the latest timestamp of any tick.
    """

    runs: Runs = ()
    carry_over: CarryOver = NO_CARRY_OVER
    progress: Mapping[int, Progress] = field(default_factory=dict)
    anchor: Anchor | None = None
    last_at: datetime | None = None
    paid: Payments = ()
    direct_ticks: DirectTicks = NO_DIRECT_TICKS

    def with_changes(self, **changes: Any) -> "State":
        """Return a copy with other values of some fields, like `dataclasses.replace`, in a fifth of the time."""
        copy = object.__new__(State)
        copy.__dict__.update(self.__dict__, **changes)
        return copy


@dataclass(frozen=True)
class Chain:
    """Satisfied windows that belong together: the first and last ordinal, and their number."""

    first: int
    last: int
    count: int


@dataclass(frozen=True)
class StreakStatus:
    """A streak at one instant.

    `current` is the length of the live chain, or 0. `window` is the number of the open window; it is None for a rolling
    streak that is not running. `breaks_at` and `at_risk_at` are None if no chain is alive or it cannot break. `latest` is the
    last chain, alive or broken.
    """

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
    """The windows of this participant. None for rolling windows that no tick has opened yet."""
    if not isinstance(rules.windows, Rolling):
        return rules.windows
    return None if state.anchor is None else rules.windows.windows_from(state.anchor)


def chains(state: State, rules: Rules, excused: ExcusedWindows = ()) -> list[Chain]:
    """The chains of `state`, oldest first. A live carry-over belongs to the first."""
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
    """Whether at most `grace` windows were missed between two satisfied ones.

    Windows are examined one by one only where windows without a length can make a difference.
    """
    between = first - last - 1 - excused_between(last, first, excused)
    if not rules.resets or between <= rules.grace:
        return True
    if between > rules.grace + MAX_SKIPPED:
        return False
    return fatal_window(last, windows, excused, grace=rules.grace) >= first


def fatal_window(last: int, windows: Windows, excused: ExcusedWindows, *, grace: int) -> int:
    """The window whose miss is one too many if `last` is the last satisfied window. FOREVER if an excuse has no end."""
    number, left = last, grace + 1
    while left:
        number = next_unexcused(number + 1, excused)
        if number >= FOREVER:
            return FOREVER
        left -= not windows.is_empty(number)
    return number


def streak_status(state: State, rules: Rules, *, now: datetime, spans: Sequence[Span] = ()) -> StreakStatus:
    """The status of a streak at `now`. `spans` are the excused times."""
    windows = windows_of(state, rules)
    if windows is None:
        return StreakStatus(0, state.carry_over.longest, None, False, False, None, None, None)  # noqa: FBT003 - an empty status
    excused = excused_windows(windows, spans)
    found = chains(state, rules, excused)
    longest = max([state.carry_over.longest, *(chain.count for chain in found)])
    fatal = fatal_window_of(found, windows, rules, excused)
    breaks_at = None if fatal is None else windows.end(fatal)
    if not found or (breaks_at is not None and now >= breaks_at):
        return _not_running(state, rules, windows, found, longest, now=now, excused=excused)
    return _running(state, rules, windows, found[-1], longest, fatal=fatal, now=now)


def fatal_window_of(found: Sequence[Chain], windows: Windows, rules: Rules, excused: ExcusedWindows) -> int | None:
    """The window at whose end the last chain breaks. None if there is no chain or it cannot break."""
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
    """The status without a live chain.

    A calendar always has an open window. Rolling windows have one until the first unexcused window of the newest anchor ends.
    """
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
    """The start of the lead time before the break, but not before the last satisfied window ends.

    None if the lead is zero. A participant is not at risk in a window that they have satisfied.
    """
    begin, end = windows.start(fatal), windows.end(fatal)
    lead = (end - begin) / DEFAULT_LEAD_PARTS if rules.lead is None else rules.lead
    return max(end - lead, windows.end(chain.last)) if lead else None


def is_window_satisfied(state: State, number: int) -> bool:
    """Whether window `number` is satisfied, or is the last window of a live carry-over."""
    return contains(state.runs, number) or (state.carry_over.count > 0 and number == state.carry_over.last)


def chain_with(found: Sequence[Chain], window: int) -> Chain | None:
    """The chain that contains `window`."""
    return next((chain for chain in found if chain.first <= window <= chain.last), None)
