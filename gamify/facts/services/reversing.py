"""Reverses an event with everything that resulted from it (docs/contract.md §6). The event itself stays, marked as reversed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from gamify.facts.models import Event
from gamify.facts.selectors import EventNotFound, event_by_id
from participants.causes import Kept, Undoing
from participants.errors import DomainError
from participants.models import Participant, Tenant
from participants.registries import Registry
from participants.work import UnitOfWork, restartable, unit_of_work

JSON_NAMES = {"obstacle": "kept"}
SPENT = "{:,} of these points were spent already"
NOT_KNOWN = "What it was counted for is not known any more"


class AlreadyReversed(DomainError):
    code = "already_reversed"

    def __init__(self) -> None:
        super().__init__("Event is reversed already")


@dataclass(frozen=True, kw_only=True)
class Undone:
    """Something that resulted from the event, named as in `rewards_granted`: by a code or, if it has none, by an id.

    - `amount`: how much was taken back, in points or in the unit of what is counted.
    - `shortfall`: how much more should have been taken back but was no longer there.
    - `obstacle`: why it was not taken back; None if it was. Its name in JSON is `kept`.
    - `is_checked_later`: an undo for a cause decides about it again when all is taken back. So its report has that decision only.
    """

    type: str
    name: str
    code: str | None = None
    id: UUID | None = None
    amount: int | None = None
    shortfall: int | None = None
    obstacle: str | None = None
    is_checked_later: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as in answers, in the domain event and in the event's row: without the values that are None."""
        named = {name: value for name, value in asdict(self).items() if name != "is_checked_later"}
        values = {JSON_NAMES.get(name, name): value for name, value in named.items() if value is not None}
        return values if self.id is None else {**values, "id": str(self.id)}


Undo = Callable[[UnitOfWork, Participant, Event], Iterable[Undone]]
"""Takes back what a domain did for an event, and returns what that was. The participant is locked.

An undoer must not refuse, and it grants nothing. It finds rows by the event's id, and counts by the event's undo notes.
`event.reversed_at` and the reason are already set, but not yet written: read other events with `others_of`.
"""

undoers: Registry[Undo] = Registry("Undoer")


@dataclass(frozen=True)
class EventReversed:
    """`results` is what was taken back, in order, and `undone` the same as JSON objects; in a dry run, what would be."""

    event_id: UUID
    participant_id: str
    event_name: str
    reason: str | None
    reversed_at: datetime
    undone: Sequence[Mapping[str, Any]]
    results: Sequence[Undone]


@restartable
def reverse_event(
    *, tenant: Tenant, event_id: str, reason: str | None, now: datetime, is_dry_run: bool = False
) -> EventReversed:
    """Take back an event with everything that resulted from it. This is possible once.

    A dry run returns what that would be, and neither locks nor writes. Definitions do not react to the domain events of a reversal:
    they give for what happened, and nothing new happened.

    Raises: EventNotFound, AlreadyReversed.
    """
    external_id = event_by_id(tenant, event_id).participant.external_id
    with unit_of_work(tenant, [external_id], now=now, is_dry_run=is_dry_run) as work:
        participant, event = work.find(external_id), work.lock(Event, UUID(event_id))
        if participant is None or event is None:  # erased or anonymised meanwhile
            raise EventNotFound(event_id)
        if event.reversed_at is not None:
            raise AlreadyReversed
        return _reverse(work, participant, event, reason)


def take_back_event(undoing: Undoing) -> Sequence[Kept]:
    """Reverse one event, and return what had resulted from it and stays.

    Raises: what `reverse_event` raises.
    """
    event_id = str(undoing.row_id)
    found = reverse_event(tenant=undoing.tenant, event_id=event_id, reason=undoing.reason, now=undoing.now)
    return [
        Kept(each.type, each.id or undoing.row_id, each.obstacle or SPENT.format(each.shortfall))
        for each in found.results
        if (each.obstacle or each.shortfall) and not each.is_checked_later
    ]


def _reverse(work: UnitOfWork, participant: Participant, event: Event, reason: str | None) -> EventReversed:
    event.reversed_at, event.reversal = work.now, {"reason": reason, "undone": []}
    work.touch(participant, is_seen=False)
    participant.total_events -= 1
    results = list(_undo(work, participant, event))
    undone = [each.to_json() for each in results]
    event.reversal = {"reason": reason, "undone": undone, "by": {"actor": work.actor.key, "label": work.actor.label}}
    work.change(event, "reversed_at", "reversal")
    data = {"event_id": str(event.pk), "event_name": event.name, "reason": reason, "undone": undone}
    work.emit("event.reversed", participant, data)
    return EventReversed(event.pk, participant.external_id, event.name, reason, work.now, undone, results)


def _undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    if event.marks is None:
        yield Undone(type="event", name=event.name, id=event.pk, obstacle=NOT_KNOWN)
    for name in settings.UNDO_ORDER:
        yield from undoers[name](work, participant, event)
