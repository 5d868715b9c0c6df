"""Pure rules of challenges: what an event advances, what is completed by it, and when an enrolment ends (contract §12).

A challenge is gone through in rounds. In a round every objective counts the events that it hears until its condition is
met; one that has prerequisites hears nothing before they are completed, the event that completes them included. What
events an objective hears is decided outside: the engine is told, for each of those that do, the value in the field of
its condition. Times are those of the events, and the end is not part of the term.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from gamify.facts.engine.conditions import ANY_TICK, NO_PROGRESS, Condition, ConditionKind, Progress, progress_after
from participants.engine import exact_number


class Duration(StrEnum):
    """`fixed` lies between two instants, `rolling` lasts so many days from the enrolment, `perpetual` has no end."""

    FIXED = "fixed"
    ROLLING = "rolling"
    PERPETUAL = "perpetual"


@dataclass(frozen=True)
class Term:
    """When events count. `starts_at` and `ends_at` are those of a fixed term, `lasts` is the length of a rolling one."""

    duration: Duration = Duration.PERPETUAL
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    lasts: timedelta | None = None

    def end_of(self, enrolled_at: datetime) -> datetime | None:
        """When the enrolment ends; None where it does not."""
        if self.lasts is not None and self.duration is Duration.ROLLING:
            return enrolled_at + self.lasts
        return self.ends_at if self.duration is Duration.FIXED else None

    def has_ended(self, enrolled_at: datetime, now: datetime) -> bool:
        end = self.end_of(enrolled_at)
        return end is not None and end <= now

    def counts(self, enrolled_at: datetime, at: datetime) -> bool:
        """Whether what happened at `at` counts for somebody enrolled at `enrolled_at`."""
        is_early = at < enrolled_at or (self.starts_at is not None and at < self.starts_at)
        return not is_early and not self.has_ended(enrolled_at, at)


@dataclass(frozen=True)
class Objective:
    """Completed once its condition is met; values from the moment that all `prerequisites`, codes of others, are completed."""

    code: str
    label: str
    condition: Condition = ANY_TICK
    prerequisites: Sequence[str] = ()

    @property
    def target(self) -> int | float | Decimal:
        """What completes it, in the unit of its condition."""
        return exact_number(self.condition.minimum)


@dataclass(frozen=True)
class Milestone:
    """So many completed objectives, at which `grants` are given, once in each round."""

    objectives: int
    grants: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Rules:
    """`needed` is the number of objectives that complete a round; milestones are in ascending order."""

    objectives: Sequence[Objective]
    needed: int
    milestones: Sequence[Milestone] = ()
    is_repeatable: bool = False
    term: Term = Term()


@dataclass(frozen=True)
class State:
    """One enrolment: rounds are numbered from 1, and `completions` of them are completed. Of the round that was begun last:
    what events came to, by objective, the objectives that are `done`, and the milestones that are `paid`. In a rolling
    challenge every round has days of its own: `enrolled_at` is the beginning of the latest.
    """

    enrolled_at: datetime
    round: int = 1
    completions: int = 0
    progress: Mapping[str, Progress] = field(default_factory=dict)
    done: Sequence[str] = ()
    paid: Sequence[int] = ()
    completed_at: datetime | None = None

    @property
    def is_completed(self) -> bool:
        """Whether the latest round is."""
        return self.completions >= self.round

    def current(self, objective: Objective) -> int | float | Decimal:
        """What events came to in this round, in the unit of the objective's condition."""
        progress = self.progress.get(objective.code, NO_PROGRESS)
        if objective.condition.kind is ConditionKind.COUNT:
            return progress.count
        if objective.condition.kind is ConditionKind.DISTINCT:
            return len(progress.distinct)
        return exact_number(progress.total)


class Effect(StrEnum):
    """What an event came to, in the words of the decision trace."""

    COUNTED = "counted"
    OUT_OF_SCHEDULE = "out_of_schedule"
    ALREADY_COMPLETED = "already_completed"
    NO_EFFECT = "no_effect"


@dataclass(frozen=True)
class AdvanceResult:
    """`state` after an event, and what it completed: `objectives`, `milestones` and, with `is_completed`, the round."""

    effect: Effect
    state: State
    objectives: Sequence[Objective] = ()
    milestones: Sequence[Milestone] = ()
    is_completed: bool = False


def should_enrol(rules: Rules, values: Mapping[str, Any], *, at: datetime) -> bool:
    """Whether an event of this moment enrols, where that is automatic: the term is open, and an objective hears it first."""
    return rules.term.counts(at, at) and any(_open_objectives(State(at), rules, values))


def advance(state: State, rules: Rules, values: Mapping[str, Any], *, at: datetime) -> AdvanceResult:
    """What comes of one event at `at`. `values` has the value that each objective found which means the event, by code.

    After a completed round of a challenge that can be repeated, the next event that an objective listens to begins a new one;
    in a rolling challenge with days of its own, so that what happened before the completion cannot begin it. A round whose
    days went by is begun again in the same way: it is the same round, whose milestones are not paid twice.
    """
    is_again = rules.is_repeatable and (state.is_completed or _has_lapsed(state, rules, at=at))
    current = _next_round(state, rules, at=at) if is_again else state
    if not rules.term.counts(current.enrolled_at, at):
        return AdvanceResult(Effect.OUT_OF_SCHEDULE, state)
    if not is_again:
        return (
            AdvanceResult(Effect.ALREADY_COMPLETED, state)
            if state.is_completed
            else _advance_round(state, rules, values, at=at)
        )
    begun = _advance_round(current, rules, values, at=at)
    return begun if begun.effect is Effect.COUNTED else AdvanceResult(Effect.NO_EFFECT, state)


def _has_lapsed(state: State, rules: Rules, *, at: datetime) -> bool:
    """Whether the days of a round went by; a fixed term is over for good."""
    return rules.term.duration is Duration.ROLLING and rules.term.has_ended(state.enrolled_at, at)


def _next_round(state: State, rules: Rules, *, at: datetime) -> State:
    if not state.is_completed:
        return replace(state, enrolled_at=at, progress={}, done=())
    enrolled_at = state.enrolled_at
    if rules.term.duration is Duration.ROLLING:
        enrolled_at = max(at, state.completed_at or at)
    return replace(state, enrolled_at=enrolled_at, round=state.round + 1, progress={}, done=(), paid=())


def _advance_round(state: State, rules: Rules, values: Mapping[str, Any], *, at: datetime) -> AdvanceResult:
    """In a round that is under way. Where fewer objectives are needed than were, those that are done may be enough already."""
    listening = list(_open_objectives(state, rules, values))
    progress = dict(state.progress) | {each.code: _progress_with(state, each, values[each.code]) for each in listening}
    met = [each for each in listening if progress[each.code].satisfies(each.condition)]
    state = replace(state, progress=progress, done=(*state.done, *(each.code for each in met)))
    effect = Effect.COUNTED if listening else Effect.NO_EFFECT
    return _pay_and_complete(AdvanceResult(effect, state, met), rules, at=at)


def _open_objectives(state: State, rules: Rules, values: Mapping[str, Any]) -> Iterator[Objective]:
    """Those that an event advances: values, not done, and with everything done that they wait for."""
    for objective in rules.objectives:
        is_open = objective.code not in state.done and all(code in state.done for code in objective.prerequisites)
        if is_open and objective.code in values:
            yield objective


def _progress_with(state: State, objective: Objective, value: Any) -> Progress:
    return progress_after(state.progress.get(objective.code, NO_PROGRESS), objective.condition, value)


def _pay_and_complete(advanced: AdvanceResult, rules: Rules, *, at: datetime) -> AdvanceResult:
    """Pay the milestones that are reached and not paid, and complete the round if that is enough."""
    state, done = advanced.state, sum(each.code in advanced.state.done for each in rules.objectives)
    due = [each for each in rules.milestones if each.objectives <= done and each.objectives not in state.paid]
    state = replace(state, paid=(*state.paid, *(each.objectives for each in due)))
    if done < rules.needed:
        return replace(advanced, state=state, milestones=due)
    state = replace(state, completions=state.completions + 1, completed_at=at)
    return replace(advanced, state=state, milestones=due, is_completed=True)


@dataclass(frozen=True)
class MatchedEvent:
    """One event that objectives values at `at`, each with the value that it found; `key` tells it from others."""

    key: Any
    at: datetime
    values: Mapping[str, Any]


@dataclass(frozen=True)
class ReplayResult:
    """Where a history leads, None where nothing of it enrolled anybody; and for each round and milestone, or with None for each
    round, the key of the event that brought it."""

    state: State | None
    earned_by: Mapping[tuple[int, int | None], Any]


def replay(rules: Rules, history: Iterable[MatchedEvent], *, enrolled_at: datetime | None) -> ReplayResult:
    """A whole history, in the order in which it came in, of somebody enrolled at `enrolled_at`; None where an event does that."""
    state = None if enrolled_at is None else State(enrolled_at)
    earned_by: dict[tuple[int, int | None], Any] = {}
    for each in history:
        if state is None and not should_enrol(rules, each.values, at=each.at):
            continue
        told = advance(state or State(each.at), rules, each.values, at=each.at)
        state = told.state
        earned_by |= {(state.round, milestone.objectives): each.key for milestone in told.milestones}
        if told.is_completed:
            earned_by[state.round, None] = each.key
    return ReplayResult(state, earned_by)
