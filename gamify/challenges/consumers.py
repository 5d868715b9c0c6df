"""Challenges hear the clients' events: those that their objectives mean enrol and advance who sent them."""

from collections.abc import Iterable, Mapping, Sequence
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


def _consume(fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]:
    for challenge, listeners in challenges_in(work.catalog).by_event[fact.name]:
        heard = {each.objective.code: _value(each, fact) for each in listeners if _matches(each, fact)}
        if heard:
            result, note, outcomes = _apply(challenge, fact, heard, work)
        else:
            result, note, outcomes = NOT_MATCHED, None, ()
        yield _trace_entry(challenge, listeners, fact, result, note)
        yield from outcomes


def _matches(listener: Listener, fact: Fact) -> bool:
    return listener.matches(fact.properties, fact.participant.attributes)


def _value(listener: Listener, fact: Fact) -> Any:
    return listener.value(fact.properties, fact.participant.attributes)


def _apply(
    challenge: CompiledChallenge, fact: Fact, heard: Mapping[str, Any], work: UnitOfWork
) -> tuple[str, str | None, Iterable[Outcome]]:
    """What it came to for who is enrolled, or is by this event."""
    work.load(loads_for([challenge]))
    row = work.row(Enrolment, fact.participant, challenge.id)
    if row is None and not challenge.is_automatic:
        return NOT_ENROLLED, "They are not enrolled", ()
    if row is None and not should_enrol(challenge.rules, heard, at=fact.at):
        in_time = challenge.rules.term.counts(fact.at, fact.at)
        return Effect.NO_EFFECT if in_time else Effect.OUT_OF_SCHEDULE, None, ()
    is_enrolled = row is not None
    row = row or enrol_in(work, fact.participant, challenge, at=fact.at)
    mark = _undo_note(challenge, heard, since=row.enrolled_at if is_enrolled else None)
    counted = count_event(work, fact.participant, challenge, row, heard, at=fact.at, key=fact.key)
    return counted.advanced.effect, _note(challenge, counted.advanced), [mark, *counted.outcomes]


def _undo_note(challenge: CompiledChallenge, heard: Mapping[str, Any], *, since: datetime | None) -> UndoNote:
    """Whatever it came to: without an event before, it may come to more. `since` is the enrolment that it found, None where it
    enrolled.
    """
    values = {
        each.code: value_to_store(each.condition, heard[each.code])
        for each in challenge.rules.objectives
        if each.code in heard
    }
    found = None if since is None else since.isoformat()
    return UndoNote("challenges", {"id": str(challenge.id), "heard": values, "since": found})


def _note(challenge: CompiledChallenge, advanced: AdvanceResult) -> str | None:
    """What was completed by it, else how far they have come."""
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
        return [asked for each in listeners for asked in condition_results(each.listens_to, properties, attributes)]

    return TraceEntry(Source("challenge", challenge.code), result, note, conditions)


LISTENER = Consumer(loads=_loads, consume=_consume)
