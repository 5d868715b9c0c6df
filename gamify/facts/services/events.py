"""Records events, one by one or in batches. Both use the same code, in one unit of work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.instants import check_instant
from gamify.facts.models import Event
from gamify.facts.services.batches import BatchResult, process_batch
from gamify.facts.services.facts import Fact
from gamify.facts.services.listening import loads_for
from gamify.facts.services.pipeline import process
from participants.catalog import catalog_of
from participants.database import new_instance
from participants.engine import instant_text
from participants.errors import DomainError
from participants.models import DomainEvent, Participant, Tenant
from participants.work import IdempotencyRequest, UnitOfWork, answer_from, restartable, result_from, unit_of_work

OPERATION = "events"


@dataclass(frozen=True)
class EventEmitted:
    """An event was recorded.

    `fact_id` is the id of the domain event `event.recorded`. `rewards_granted` is what the event earned, as JSON objects
    (docs/contract.md §11).
    """

    event_id: UUID
    fact_id: UUID
    rewards_granted: Sequence[Mapping[str, Any]] = ()
    is_replay: bool = False


@restartable
def emit(*, tenant: Tenant, event: EventInput, now: datetime) -> EventEmitted:
    """Record one event, and give what it earns. Raises: InvalidInput for its time, IdempotencyKeyReused."""
    loads = loads_for(catalog_of(tenant), [event])
    with unit_of_work(
        tenant, [event.participant_id], now=now, idempotency_requests=[idempotency_of(event)], loads=loads
    ) as work:
        return _emit(work, event)


@restartable
def emit_batch(
    *, tenant: Tenant, events: Sequence[EventInput], refused: Mapping[int, DomainError], now: datetime
) -> BatchResult[EventEmitted]:
    """Record many events in order. Each item succeeds or fails on its own. `refused` as in `process_batch`."""
    people, requests = [event.participant_id for event in events], list(map(idempotency_of, events))
    loads = loads_for(catalog_of(tenant), events)
    with unit_of_work(tenant, people, now=now, idempotency_requests=requests, loads=loads) as work:
        return process_batch(events, lambda event: _emit(work, event), refused=refused)


def idempotency_of(event: EventInput) -> IdempotencyRequest | None:
    """Return the idempotency request of an event; None if it has no key."""
    if event.idempotency_key is None:
        return None
    digest = sha256(event.name.encode()).hexdigest()  # a name may be longer than a digest
    return IdempotencyRequest(OPERATION, event.idempotency_key, digest=digest, external_id=event.participant_id)


def _emit(work: UnitOfWork, event: EventInput) -> EventEmitted:
    return emit_in_unit(work, event, idempotency_of(event))


def emit_in_unit(work: UnitOfWork, event: EventInput, idempotency: IdempotencyRequest | None) -> EventEmitted:
    """Record an event in a unit that was opened with `idempotency`.

    Raises: InvalidInput or IdempotencyKeyReused, before it has changed anything.
    """
    if (answer := work.stored_answer(idempotency)) is not None:
        return result_from(EventEmitted, answer)
    check_instant(event.at, now=work.now)
    participant = work.participant(event.participant_id)
    row = add_event(work, participant, event)
    fact_id = _emit_recorded(work, participant, row).pk
    result = process(work, fact_of(participant, row), now=work.now)
    row.trace, row.marks = result.trace, result.undo_notes
    emitted = EventEmitted(row.pk, fact_id, [report.to_json() for report in result.granted])
    work.store_answer(idempotency, answer_from(emitted))
    return emitted


def add_event(work: UnitOfWork, participant: Participant, event: EventInput) -> Event:
    """Add the row of an event, which is written with the unit."""
    work.touch(participant)
    participant.total_events += 1
    if work.is_history:
        work.note_seen_at(participant, event.at)
    row = new_instance(
        Event,
        tenant_id=work.tenant.id,
        participant_id=participant.id,
        name=event.name,
        properties=event.properties,
        occurred_at=event.at.astimezone(UTC),
        created_at=work.now,
    )
    work.add(row)
    return row


def _emit_recorded(work: UnitOfWork, participant: Participant, row: Event) -> DomainEvent:
    data = {
        "event_id": str(row.pk),
        "event_name": row.name,
        "properties": row.properties,
        "timestamp": instant_text(row.occurred_at),
    }
    return work.emit("event.recorded", participant, data)


def fact_of(participant: Participant, row: Event) -> Fact:
    """Return the event as a `Fact`, the form in which consumers get it."""
    return Fact(
        participant=participant,
        name=row.name,
        properties=row.properties,
        at=row.occurred_at,
        key=f"event:{row.pk}",
        event_id=row.pk,
    )
