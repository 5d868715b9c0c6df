"""Events of long ago, brought in many at a time: what is wrong with one of them stops no other."""

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
    """What became of one event. `is_repeat`: it had been recorded before."""

    is_repeat: bool = False
    refusal: DomainError | None = None


Then = Callable[[UnitOfWork, Sequence[EventImported]], None]

Known = set[tuple[str, str]]
"""Participants' external ids, each with the fingerprint of an event of theirs that is recorded."""


@dataclass(frozen=True)
class _Asked:
    """An event of the history with its fingerprint, and the refusal that it meets without being recorded, if any."""

    event: EventInput
    fingerprint: str
    refusal: DomainError | None

    @property
    def idempotency(self) -> IdempotencyRequest:
        """The event's own key, or where it has none, its fingerprint as the key."""
        known = idempotency_of(self.event)
        if known is not None:
            return known
        return IdempotencyRequest(
            BACKFILL, self.fingerprint, digest=self.fingerprint, external_id=self.event.participant_id
        )

    @property
    def sameness(self) -> tuple[str, str]:
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
    """Record in one unit of work what happened, as `emit` would have when it did; answers in the order given.

    Hand them in in the order in which they happened. An event with a key is recorded once under it, as a call. One without a
    key is a repeat where the participant has an event with the same name, time and properties, whoever recorded that: an
    earlier file, an earlier line, or a call with a key or without one. `then` is called with what became of the events before the
    unit ends, to write what belongs to it, and anew if it is restarted.
    """
    asked = [_asked(event, now=now) for event in events]
    good = [each for each in asked if each.refusal is None]
    with unit_of_work(
        tenant,
        {each.event.participant_id for each in good},
        now=now,
        idempotency_requests=[each.idempotency for each in good],
        loads=loads_for(catalog_of(tenant), [each.event for each in good]),
        is_silent=is_silent,
        is_dry_run=is_dry_run,
        is_history=True,
    ) as work:
        known = _known(work, [each.event for each in good if each.event.idempotency_key is None])
        taken = [_taken(work, each, known) for each in asked]
        if then is not None:
            then(work, taken)
        return taken


def _asked(event: EventInput, *, now: datetime) -> _Asked:
    return _Asked(event, fingerprint(event.name, event.at, event.properties), _refusal(event, now=now))


def _refusal(event: EventInput, *, now: datetime) -> DomainError | None:
    if problem := external_id_problem(event.participant_id):
        return InvalidInput("participant_id", problem)
    try:
        check_instant(event.at, now=now)
    except DomainError as refusal:
        return refusal
    return None


def _known(work: UnitOfWork, events: Iterable[EventInput]) -> Known:
    """Return which events are recorded at the moments of `events`. It reads behind the lock, so nobody records one meanwhile."""
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


def _taken(work: UnitOfWork, asked: _Asked, known: Known) -> EventImported:
    if asked.refusal is not None:
        return EventImported(refusal=asked.refusal)
    if asked.event.idempotency_key is None and asked.sameness in known:
        return EventImported(is_repeat=True)
    try:
        emitted = emit_in_unit(work, asked.event, asked.idempotency)
    except DomainError as error:
        return EventImported(refusal=error)
    if not emitted.is_replay:
        known.add(asked.sameness)
    return EventImported(is_repeat=emitted.is_replay)
