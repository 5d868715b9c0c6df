"""Pure rules of challenges: what an event advances and completes, and when an enrolment ends (docs/contract.md §12).

A participant goes through a challenge in rounds. In a round each objective counts matching events until its condition is
met. An objective with prerequisites starts to count with the event after the one that completes them.

The caller decides which objectives an event matches. It passes `values`: for each matched objective, by code, the value of
the condition's field in that event. All times are event times. The end of a term is exclusive.
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
    """`fixed`: between two instants; `rolling`: a number of days from the enrolment; `perpetual`: without end."""

    FIXED = "fixed"
    ROLLING = "rolling"
    PERPETUAL = "perpetual"


@dataclass(frozen=True)
class Term:
    """The period in which events count. A fixed term has `starts_at` and `ends_at`, a rolling term has a length (`lasts`)."""

    duration: Duration = Duration.PERPETUAL
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    lasts: timedelta | None = None

    def end_of(self, enrolled_at: datetime) -> datetime | None:
        """When the enrolment ends, or None if it has no end."""
        if self.lasts is not None and self.duration is Duration.ROLLING:
            return enrolled_at + self.lasts
        return self.ends_at if self.duration is Duration.FIXED else None

    def has_ended(self, enrolled_at: datetime, now: datetime) -> bool:
        end = self.end_of(enrolled_at)
        return end is not None and end <= now

    def counts(self, enrolled_at: datetime, at: datetime) -> bool:
        """Whether an event at `at` counts for an enrolment that began at `enrolled_at`."""
        is_early = at < enrolled_at or (self.starts_at is not None and at < self.starts_at)
        return not is_early and not self.has_ended(enrolled_at, at)


@dataclass(frozen=True)
class Objective:
    """An objective is completed when its condition is met.

    `prerequisites` are codes of objectives that must be completed before this one counts events.
    """

    code: str
    label: str
    condition: Condition = ANY_TICK
    prerequisites: Sequence[str] = ()

    @property
    def target(self) -> int | float | Decimal:
        """The number that completes the objective, in the unit of its condition: events, a sum, or distinct values."""
        return exact_number(self.condition.minimum)


@dataclass(frozen=True)
class Milestone:
    """Gives `grants` once per round, when this number of objectives is completed."""

    objectives: int
    grants: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Rules:
    """The rules of a challenge. `needed` objectives complete a round. Milestones are in ascending order."""

    objectives: Sequence[Objective]
    needed: int
    milestones: Sequence[Milestone] = ()
    is_repeatable: bool = False
    term: Term = Term()


@dataclass(frozen=True)
class State:
    """The state of one enrolment.

    - `enrolled_at`: the start of the enrolment. In a rolling challenge each round has its own term, and this is the start
      of the latest round.
    - `round`: the number of the latest round, from 1.
    - `completions`: the number of completed rounds.
    - `progress`, `done`, `paid`: of the latest round, the progress by objective code, the codes of the completed objectives,
      and the milestones whose grants were given.
    - `completed_at`: when the latest completed round was completed.
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
        """Whether the latest round is completed."""
        return self.completions >= self.round

    def current(self, objective: Objective) -> int | float | Decimal:
        """The progress of the objective in the latest round, in the unit of its condition."""
        progress = self.progress.get(objective.code, NO_PROGRESS)
        if objective.condition.kind is ConditionKind.COUNT:
            return progress.count
        if objective.condition.kind is ConditionKind.DISTINCT:
            return len(progress.distinct)
        return exact_number(progress.total)


class Effect(StrEnum):
    """The effect of an event, as the decision trace names it."""

    COUNTED = "counted"
    OUT_OF_SCHEDULE = "out_of_schedule"
    ALREADY_COMPLETED = "already_completed"
    NO_EFFECT = "no_effect"


@dataclass(frozen=True)
class AdvanceResult:
    """The state after an event, and the objectives and milestones it completed. `is_completed`: it completed the round."""

    effect: Effect
    state: State
    objectives: Sequence[Objective] = ()
    milestones: Sequence[Milestone] = ()
    is_completed: bool = False


def should_enrol(rules: Rules, values: Mapping[str, Any], *, at: datetime) -> bool:
    """Whether an event at `at` starts an automatic enrolment: the term is open, and an objective without prerequisites
    matches it.
    """
    return rules.term.counts(at, at) and any(_open_objectives(State(at), rules, values))


def advance(state: State, rules: Rules, values: Mapping[str, Any], *, at: datetime) -> AdvanceResult:
    """Apply one event at `at` to the state. `values` has the value for each objective that matches the event, by code.

    In a repeatable challenge the next event that an open objective matches starts a new round:

    - After a completed round. In a rolling challenge the new round has its own term, which starts no earlier than the
      completion. So an earlier event cannot start it.
    - After a rolling round whose term has ended uncompleted. The round keeps its number, so that its milestones are not
      paid twice.
    """
    is_restart = rules.is_repeatable and (state.is_completed or _has_lapsed(state, rules, at=at))
    current = _next_round(state, rules, at=at) if is_restart else state
    if not rules.term.counts(current.enrolled_at, at):
        return AdvanceResult(Effect.OUT_OF_SCHEDULE, state)
    if not is_restart:
        return (
            AdvanceResult(Effect.ALREADY_COMPLETED, state)
            if state.is_completed
            else _advance_round(state, rules, values, at=at)
        )
    started = _advance_round(current, rules, values, at=at)
    return started if started.effect is Effect.COUNTED else AdvanceResult(Effect.NO_EFFECT, state)


def _has_lapsed(state: State, rules: Rules, *, at: datetime) -> bool:
    """Whether the term of a rolling round has ended. A fixed term ends for good, so it never lapses."""
    return rules.term.duration is Duration.ROLLING and rules.term.has_ended(state.enrolled_at, at)


def _next_round(state: State, rules: Rules, *, at: datetime) -> State:
    if not state.is_completed:
        return replace(state, enrolled_at=at, progress={}, done=())
    enrolled_at = state.enrolled_at
    if rules.term.duration is Duration.ROLLING:
        enrolled_at = max(at, state.completed_at or at)
    return replace(state, enrolled_at=enrolled_at, round=state.round + 1, progress={}, done=(), paid=())


def _advance_round(state: State, rules: Rules, values: Mapping[str, Any], *, at: datetime) -> AdvanceResult:
    """Apply an event to the round that is under way.

    The completion is checked even if no objective counts: after a change of `needed`, the completed objectives may suffice.
    """
    matched = list(_open_objectives(state, rules, values))
    progress = dict(state.progress) | {each.code: _progress_with(state, each, values[each.code]) for each in matched}
    met = [each for each in matched if progress[each.code].satisfies(each.condition)]
    state = replace(state, progress=progress, done=(*state.done, *(each.code for each in met)))
    effect = Effect.COUNTED if matched else Effect.NO_EFFECT
    return _pay_and_complete(AdvanceResult(effect, state, met), rules, at=at)


def _open_objectives(state: State, rules: Rules, values: Mapping[str, Any]) -> Iterator[Objective]:
    """The objectives that an event advances: matched, not completed, and with all prerequisites completed."""
    for objective in rules.objectives:
        is_open = objective.code not in state.done and all(code in state.done for code in objective.prerequisites)
        if is_open and objective.code in values:
            yield objective


def _progress_with(state: State, objective: Objective, value: Any) -> Progress:
    return progress_after(state.progress.get(objective.code, NO_PROGRESS), objective.condition, value)


def _pay_and_complete(advanced: AdvanceResult, rules: Rules, *, at: datetime) -> AdvanceResult:
    """Mark the milestones that are reached and unpaid as paid, and complete the round if enough objectives are completed."""
    state, done = advanced.state, sum(each.code in advanced.state.done for each in rules.objectives)
    due = [each for each in rules.milestones if each.objectives <= done and each.objectives not in state.paid]
    state = replace(state, paid=(*state.paid, *(each.objectives for each in due)))
    if done < rules.needed:
        return replace(advanced, state=state, milestones=due)
    state = replace(state, completions=state.completions + 1, completed_at=at)
    return replace(advanced, state=state, milestones=due, is_completed=True)


@dataclass(frozen=True)
class MatchedEvent:
    """A past event at `at` that objectives matched, with the value for each of them. `key` identifies the event."""

    key: Any
    at: datetime
    values: Mapping[str, Any]


@dataclass(frozen=True)
class ReplayResult:
    """The state after a history, or None if no event of it enrolled the participant.

    `earned_by` maps (round, milestone's number of objectives) to the key of the event that reached the milestone, and
    (round, None) to the key of the event that completed the round.
    """

    state: State | None
    earned_by: Mapping[tuple[int, int | None], Any]


def replay(rules: Rules, history: Iterable[MatchedEvent], *, enrolled_at: datetime | None) -> ReplayResult:
    """Apply a whole history, in the order in which the events were recorded.

    `enrolled_at` is the start of an enrolment that existed before; None if the first suitable event enrols.
    """
    state = None if enrolled_at is None else State(enrolled_at)
    earned_by: dict[tuple[int, int | None], Any] = {}
    for each in history:
        if state is None and not should_enrol(rules, each.values, at=each.at):
            continue
        result = advance(state or State(each.at), rules, each.values, at=each.at)
        state = result.state
        earned_by |= {(state.round, milestone.objectives): each.key for milestone in result.milestones}
        if result.is_completed:
            earned_by[state.round, None] = each.key
    return ReplayResult(state, earned_by)
