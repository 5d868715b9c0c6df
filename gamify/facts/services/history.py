"""Events of long ago, brought in many at a time: what is wrong with one of them stops no other."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.instants import check_instant
from gamify.facts.services.events import emit_once, once_of
from gamify.facts.services.listening import loads_for
from participants.catalog import catalog_of
from participants.engine import external_id_problem
from participants.errors import DomainError, InvalidInput
from participants.models import Tenant
from participants.work import Once, UnitOfWork, restartable, unit_of_work

BACKFILL = "events.backfill"


@dataclass(frozen=True)
class EventTaken:
    """What became of one event. `is_repeat`: it had been recorded before."""

    is_repeat: bool = False
    refusal: DomainError | None = None


Then = Callable[[UnitOfWork, Sequence[EventTaken]], None]


@restartable
def record_history(
    *,
    tenant: Tenant,
    events: Sequence[EventInput],
    now: datetime,
    is_silent: bool = True,
    is_dry_run: bool = False,
    then: Then | None = None,
) -> Sequence[EventTaken]:
    """Record in one unit of work what happened, as `emit` would have when it did; answers in the order given.

    Hand them in in the order in which they happened. An event with a key is recorded once under it, as a call; one without
    is known again by its participant, name, time and properties. `then` is called with what became of the events before the
    unit ends, to write what belongs to it, and anew if it is restarted.
    """
    asked = [(event, _refusal(event, now=now), _once(event)) for event in events]
    good = [event for event, refusal, _ in asked if refusal is None]
    with unit_of_work(
        tenant,
        {event.participant_id for event in good},
        now=now,
        onces=[once for _, refusal, once in asked if refusal is None],
        loads=loads_for(catalog_of(tenant), good),
        is_silent=is_silent,
        is_dry_run=is_dry_run,
        is_history=True,
    ) as work:
        taken = [_taken(work, event, refusal, once) for event, refusal, once in asked]
        if then is not None:
            then(work, taken)
        return taken


def _refusal(event: EventInput, *, now: datetime) -> DomainError | None:
    if problem := external_id_problem(event.participant_id):
        return InvalidInput("participant_id", problem)
    try:
        check_instant(event.at, now=now)
    except DomainError as refusal:
        return refusal
    return None


def _once(event: EventInput) -> Once:
    known = once_of(event)
    if known is not None:
        return known
    said = json.dumps([event.name, event.at.astimezone(UTC).isoformat(), event.properties], sort_keys=True)
    digest = sha256(said.encode()).hexdigest()
    return Once(BACKFILL, digest, digest=digest, external_id=event.participant_id)


def _taken(work: UnitOfWork, event: EventInput, refusal: DomainError | None, once: Once) -> EventTaken:
    if refusal is not None:
        return EventTaken(refusal=refusal)
    try:
        return EventTaken(is_repeat=emit_once(work, event, once).is_replay)
    except DomainError as error:
        return EventTaken(refusal=error)
