"""The consumer of clients' events: events that match objectives enrol their participant and advance them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from gamify.challenges.engine import AdvanceResult, Effect, should_enrol
from gamify.challenges.models import Enrolment
from gamify.challenges.selectors import CompiledChallenge, Listener, challenges_in
from gamify.challenges.services import count_event, enrol_in, loads_for
from gamify.facts.engine.conditions import value_to_store
from gamify.facts.engine.events import EventInput
from gamify.facts.engine.expressions import condition_results
from gamify.facts.engine.outcomes import NOT_MATCHED, Outcome, Source, TraceEntry, UndoNote
from gamify.facts.services import Consumer, Fact
from participants.catalog import Catalog
from participants.work import Load, UnitOfWork

NOT_ENROLLED = "not_enrolled"


def _loads(catalog: Catalog, events: Sequence[EventInput]) -> Sequence[Load]:
    known = challenges_in(catalog)
    return loads_for(challenge for name in {event.name for event in events} for challenge, _ in known.by_event[name])


def _event_names(catalog: Catalog) -> Collection[str]:
    return challenges_in(catalog).by_event.names


def _consume(fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]:
    for challenge, listeners in challenges_in(work.catalog).by_event[fact.name]:
        fields = fact.properties, fact.participant.attributes
        values = {each.objective.code: each.value(*fields) for each in listeners if each.matches(*fields)}
        if values:
            result, note, outcomes = _apply(challenge, fact, values, work)
        else:
            result, note, outcomes = NOT_MATCHED, None, ()
        yield _trace_entry(challenge, listeners, fact, result, note)
        yield from outcomes


def _apply(
    challenge: CompiledChallenge, fact: Fact, values: Mapping[str, Any], work: UnitOfWork
) -> tuple[str, str | None, Iterable[Outcome]]:
    """Enrol the participant if the challenge does so, and count the event.

    `values` has the value for each matched objective, by code. Returns result and note for the trace, and the outcomes.
    """
    work.load(loads_for([challenge]))
    row = work.row(Enrolment, fact.participant, challenge.id)
    if row is None and not challenge.is_automatic:
        return NOT_ENROLLED, "The participant is not enrolled", ()
    if row is None and not should_enrol(challenge.rules, values, at=fact.at):
        in_time = challenge.rules.term.counts(fact.at, fact.at)
        return Effect.NO_EFFECT if in_time else Effect.OUT_OF_SCHEDULE, None, ()
    is_enrolled = row is not None
    row = row or enrol_in(work, fact.participant, challenge, at=fact.at)
    note = _undo_note(challenge, values, since=row.enrolled_at if is_enrolled else None)
    counted = count_event(work, fact.participant, challenge, row, values, at=fact.at, key=fact.key)
    return counted.advanced.effect, _note(challenge, counted.advanced), [note, *counted.outcomes]


def _undo_note(challenge: CompiledChallenge, values: Mapping[str, Any], *, since: datetime | None) -> UndoNote:
    """The undo note of an event that matched objectives.

    It is stored even if the event had no effect, because it may have one once an earlier event is reversed. `since` is
    `enrolled_at` of the enrolment that existed before, or None if this event enrolled.
    """
    stored = {
        each.code: value_to_store(each.condition, values[each.code])
        for each in challenge.rules.objectives
        if each.code in values
    }
    enrolled_at = None if since is None else since.isoformat()
    return UndoNote("challenges", {"id": str(challenge.id), "heard": stored, "since": enrolled_at})


def _note(challenge: CompiledChallenge, advanced: AdvanceResult) -> str | None:
    """A sentence for the trace: what the event completed, else the progress of the challenge."""
    if advanced.is_completed:
        return "Completed"
    if advanced.objectives:
        return f"Completed {', '.join(objective.label for objective in advanced.objectives)}"
    if advanced.effect is not Effect.COUNTED:
        return None
    return f"{len(advanced.state.done)} of {challenge.rules.needed} objectives completed"


def _trace_entry(
    challenge: CompiledChallenge, listeners: Sequence[Listener], fact: Fact, result: str, note: str | None
) -> TraceEntry:
    def conditions() -> Sequence[Mapping[str, Any]]:
        properties, attributes = fact.properties, fact.participant.attributes
        return [result for each in listeners for result in condition_results(each.listens_to, properties, attributes)]

    return TraceEntry(Source("challenge", challenge.code), result, note, conditions)


LISTENER = Consumer(loads=_loads, consume=_consume, event_names=_event_names)
