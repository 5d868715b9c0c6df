"""An event is undone with everything that came of it (contract §6); the event stays, and bears that it was."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from gamify.facts.models import Event
from gamify.facts.selectors import EventNotFound, event_by_id
from participants.errors import DomainError
from participants.models import Participant, Tenant
from participants.registries import Registry
from participants.work import UnitOfWork, restartable, unit_of_work

NOT_KNOWN = "What it was counted for is not known any more"


class AlreadyReversed(DomainError):
    code = "already_reversed"

    def __init__(self) -> None:
        super().__init__("Event is reversed already")


@dataclass(frozen=True, kw_only=True)
class Undone:
    """Something that came of the event, in the words of `rewards_granted`: it has a code or, where it has none, an id.

    `amount` is what was taken back, and `shortfall` what should have been and was not there any more, both in points or in
    the unit of what is counted. `kept` says why all of it could not be taken back; it then stands as it stood.
    """

    type: str
    name: str
    code: str | None = None
    id: UUID | None = None
    amount: int | None = None
    shortfall: int | None = None
    kept: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As answers, the domain event and the event's row tell it: without what there is nothing to say of."""
        told = {name: value for name, value in asdict(self).items() if value is not None}
        return told if self.id is None else {**told, "id": str(self.id)}


Undo = Callable[[UnitOfWork, Participant, Event], Iterable[Undone]]
"""Takes back what a domain did for an event of a participant who is locked, and says what that was.

It must not refuse, and grants nothing. What bears the event's id it looks up itself, what it counted besides it finds in the
event's marks. `event.reversed_at` and the reason are set already, but not written: read other events by `others_of`.
"""

undoers: Registry[Undo] = Registry("Undoer")


@dataclass(frozen=True)
class EventReversed:
    """What was undone, in order, one object each; in a dry run, what would be."""

    event_id: UUID
    participant_id: str
    event_name: str
    reason: str | None
    reversed_at: datetime
    undone: Sequence[Mapping[str, Any]]


@restartable
def reverse_event(
    *, tenant: Tenant, event_id: str, reason: str | None, now: datetime, is_dry_run: bool = False
) -> EventReversed:
    """Take back an event with everything that came of it, once. A dry run says what that would be, and neither locks nor writes.

    Nothing that is told of it is heard by definitions: they give for what happens, and nothing has happened. Raises
    EventNotFound or AlreadyReversed.
    """
    external_id = event_by_id(tenant, event_id).participant.external_id
    with unit_of_work(tenant, [external_id], now=now, is_dry_run=is_dry_run) as work:
        participant, event = work.find(external_id), work.lock(Event, UUID(event_id))
        if participant is None or event is None:  # erased or anonymised meanwhile
            raise EventNotFound(event_id)
        if event.reversed_at is not None:
            raise AlreadyReversed
        return _reverse(work, participant, event, reason)


def _reverse(work: UnitOfWork, participant: Participant, event: Event, reason: str | None) -> EventReversed:
    event.reversed_at, event.reversal = work.now, {"reason": reason, "undone": []}
    work.touch(participant, is_seen=False)
    participant.total_events -= 1
    undone = [each.to_json() for each in _undone(work, participant, event)]
    event.reversal = {"reason": reason, "undone": undone}
    work.change(event, "reversed_at", "reversal")
    data = {"event_id": str(event.pk), "event_name": event.name, "reason": reason, "undone": undone}
    work.emit("event.reversed", participant, data)
    return EventReversed(event.pk, participant.external_id, event.name, reason, work.now, undone)


def _undone(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    if event.marks is None:
        yield Undone(type="event", name=event.name, id=event.pk, kept=NOT_KNOWN)
    for name in settings.UNDO_ORDER:
        yield from undoers[name](work, participant, event)
