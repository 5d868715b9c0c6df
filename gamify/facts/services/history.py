"""Records past events, many at a time. A wrong event does not affect the others."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.fingerprints import fingerprint
from gamify.facts.engine.instants import check_instant
from gamify.facts.selectors import events_at
from gamify.facts.services.events import emit_in_unit, idempotency_of
from gamify.facts.services.listening import loads_for
from participants.catalog import catalog_of
from participants.engine import external_id_problem
from participants.errors import DomainError, InvalidInput
from participants.models import Tenant
from participants.work import IdempotencyRequest, UnitOfWork, restartable, unit_of_work

BACKFILL = "events.backfill"


@dataclass(frozen=True)
class EventImported:
    """The result for one event. `is_repeat` if it had been recorded before."""

    is_repeat: bool = False
    refusal: DomainError | None = None


Then = Callable[[UnitOfWork, Sequence[EventImported]], None]

Recorded = set[tuple[str, str]]
"""The events that are recorded, as (external id of the participant, fingerprint)."""


@dataclass(frozen=True)
class _PastEvent:
    """An event of the history, its fingerprint, and the reason to refuse it, if there is one."""

    event: EventInput
    fingerprint: str
    refusal: DomainError | None

    @property
    def idempotency(self) -> IdempotencyRequest:
        """The request with the event's own key. If it has no key, the fingerprint serves as the key."""
        own = idempotency_of(self.event)
        if own is not None:
            return own
        return IdempotencyRequest(
            BACKFILL, self.fingerprint, digest=self.fingerprint, external_id=self.event.participant_id
        )

    @property
    def identity(self) -> tuple[str, str]:
        return self.event.participant_id, self.fingerprint


@restartable
def record_history(
    *,
    tenant: Tenant,
    events: Sequence[EventInput],
    now: datetime,
    is_silent: bool = True,
    is_dry_run: bool = False,
    then: Then | None = None,
) -> Sequence[EventImported]:
    """Record past events in one unit of work, as `emit` would have recorded them at their time. Returns one result per event, in order.

    Pass the events in the order in which they happened.

    - An event with a key is recorded once under that key, as in a call.
    - An event without a key is a repeat if the participant has an event with the same name, time and properties. It does not matter
      how that event was recorded: by an earlier file, an earlier line, or a call with or without a key.

    `then` is called with the results before the unit ends, to write what belongs to them. If the unit restarts, it is called again.
    """
    past = [
        _PastEvent(event, fingerprint(event.name, event.at, event.properties), _refusal(event, now=now))
        for event in events
    ]
    accepted = [each for each in past if each.refusal is None]
    with unit_of_work(
        tenant,
        {each.event.participant_id for each in accepted},
        now=now,
        idempotency_requests=[each.idempotency for each in accepted],
        loads=loads_for(catalog_of(tenant), [each.event for each in accepted]),
        is_silent=is_silent,
        is_dry_run=is_dry_run,
        is_history=True,
    ) as work:
        recorded = _recorded(work, [each.event for each in accepted if each.event.idempotency_key is None])
        results = [_record(work, each, recorded) for each in past]
        if then is not None:
            then(work, results)
        return results


def _refusal(event: EventInput, *, now: datetime) -> DomainError | None:
    if problem := external_id_problem(event.participant_id):
        return InvalidInput("participant_id", problem)
    try:
        check_instant(event.at, now=now)
    except DomainError as refusal:
        return refusal
    return None


def _recorded(work: UnitOfWork, events: Iterable[EventInput]) -> Recorded:
    """Return the events recorded at the moments of `events`. It reads behind the lock, so no other unit can record one meanwhile."""
    moments = {
        (participant.pk, event.name, event.at.astimezone(UTC))
        for event in events
        if (participant := work.find(event.participant_id)) is not None
    }
    people = work.locked_participants
    return {
        (people[row.participant_id].external_id, fingerprint(row.name, row.occurred_at, row.properties))
        for row in events_at(work.tenant, moments)
    }


def _record(work: UnitOfWork, past: _PastEvent, recorded: Recorded) -> EventImported:
    if past.refusal is not None:
        return EventImported(refusal=past.refusal)
    if past.event.idempotency_key is None and past.identity in recorded:
        return EventImported(is_repeat=True)
    try:
        emitted = emit_in_unit(work, past.event, past.idempotency)
    except DomainError as error:
        return EventImported(refusal=error)
    if not emitted.is_replay:
        recorded.add(past.identity)
    return EventImported(is_repeat=emitted.is_replay)
