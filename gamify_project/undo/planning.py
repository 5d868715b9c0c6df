"""Lists what an undo takes back: the rows that the cause wrote, what definitions gave because of them, and what may depend on them.

Rows of the cause are listed newest first, table by table. Planning that was interrupted continues behind the last row that has an item.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from gamify_project.undo import leasing
from gamify_project.undo.erasing import keep_as_deleted, lock_participants
from gamify_project.undo.models import ItemState, Turn, Undo, UndoItem
from participants.actors import ActorKind
from participants.auditing import chunks_of
from participants.causes import Affected, CauseTable, Dependent, cause_tables, irreversible_events
from participants.models import DomainEvent
from participants.selectors import written_between

PAGE = 500
CHECKED_TOGETHER = 100
"""How many participants are asked for dependent rows at once."""
LONGEST_UNIT = timedelta(minutes=1)
"""How much later than a row of the cause a consequence may have been written. Both are of one unit of work, so it is less."""

Place = tuple[UUID, str | None, datetime]
"""Participant, request and time of a unit of work. All rows that a unit wrote for a participant have the same."""


@dataclass(frozen=True)
class _Found:
    """A row of the cause. `place` is None if no consequence belongs to it."""

    item: UndoItem
    place: Place | None


def plan(undo: Undo) -> Iterator[int]:
    """Generator: store the items of an undo, page by page, and yield the number of rows of each."""
    for page in chunks_of(_rows_of_cause(undo)):
        places = {found.place for found in page if found.place is not None}
        items = [found.item for found in page]
        if not undo.cause.startswith(f"{ActorKind.DEFINITION}:"):
            items += _consequences(undo, places)
        _insert(undo, items)
        yield len(page)
    yield from _plan_dependents(undo)


def _plan_dependents(undo: Undo) -> Iterator[int]:
    """Store an item for each row of another cause that may depend on what is taken back, unless the row has an item already."""
    while ids := _participants(undo):
        affected = Affected(undo.tenant, ids, undo.since, timezone.now())
        found = [(name, each) for name, table in cause_tables.items() for each in table.dependents(affected)]
        with transaction.atomic():
            _insert(undo, [_dependent(undo, name, each) for name, each in found])
            leasing.change(undo, checked_until=ids[-1])
        yield len(ids)


def _participants(undo: Undo) -> Sequence[UUID]:
    """Return the next participants of whom something will be taken back."""
    waiting = UndoItem.objects.filter(undo=undo, state=ItemState.WAITING)
    if undo.checked_until is not None:
        waiting = waiting.filter(participant_id__gt=undo.checked_until)
    ids = waiting.order_by("participant_id").values_list("participant_id", flat=True).distinct()
    return [each for each in ids[:CHECKED_TOGETHER] if each is not None]


def _insert(undo: Undo, items: Sequence[UndoItem]) -> None:
    """Insert the items that are new. Participants who were deleted have no rows any more, so their items are kept."""
    with transaction.atomic():
        known = lock_participants(undo.tenant, [item.participant_id for item in items])
        for item in items:
            if item.participant_id not in known:
                keep_as_deleted(item)
        UndoItem.objects.bulk_create(items, ignore_conflicts=True)


def _rows_of_cause(undo: Undo) -> Iterator[_Found]:
    """Yield the rows that name the cause. Changes that cannot be taken back have no table, so their domain events are listed."""
    for name, table in cause_tables.items():
        for row in _pages(table.rows(undo.tenant).filter(_is_of(undo), _behind_items(undo, [name]))):
            yield _Found(_item(undo, name, row), _place(row, table))
    kinds = list(irreversible_events)
    events = DomainEvent.objects.filter(_is_of(undo), tenant_id=undo.tenant_id, type__in=kinds)
    events = events.filter(_behind_items(undo, kinds))
    for page in chunks_of(_pages(events.exclude(participant_id=None))):
        own = _places_of_events(undo, page)
        for event in page:
            place = event.participant_id, event.request_id, event.occurred_at
            if place not in own:  # otherwise it is taken back with the event that it is a part of
                item = _item(undo, event.type, event)
                item.state, item.reason = ItemState.KEPT, irreversible_events[event.type]
                yield _Found(item, place)


def _is_of(undo: Undo) -> Q:
    return Q(actor=undo.cause) & written_between(undo.since, undo.until, None)


def _behind_items(undo: Undo, kinds: Sequence[str]) -> Q:
    """Return the condition for rows older than all rows of the cause that have an item of these types."""
    items = UndoItem.objects.filter(undo=undo, type__in=kinds, is_consequence=False, part=0)
    oldest = items.order_by("row_id").values_list("row_id", flat=True).first()
    return Q() if oldest is None else Q(pk__lt=oldest)


def _pages(rows: "QuerySet[Any]") -> Iterator[Any]:
    """Yield rows, newest first, read page by page, so that no cursor stays open."""
    page = list(rows.order_by("-pk")[:PAGE])
    while page:
        yield from page
        page = list(rows.filter(pk__lt=page[-1].pk).order_by("-pk")[:PAGE]) if len(page) == PAGE else []


def _item(undo: Undo, type_name: str, row: Any) -> UndoItem:
    return UndoItem(
        undo=undo, tenant_id=undo.tenant_id, participant_id=row.participant_id, type=type_name, row_id=row.pk
    )


def _place(row: Any, table: CauseTable) -> Place | None:
    """Return the place of a row. What resulted from an event is taken back with the event, so events have none."""
    return None if table is cause_tables["event"] else (row.participant_id, row.request_id, getattr(row, table.at))


def _places_of_events(undo: Undo, events: Sequence[Any]) -> set[Place]:
    """Return those places of domain events at which the cause also wrote events."""
    table = cause_tables["event"]
    rows = table.rows(undo.tenant).filter(_is_of(undo), participant_id__in={each.participant_id for each in events})
    rows = rows.filter(**{f"{table.at}__in": {each.occurred_at for each in events}})
    return set(rows.values_list("participant_id", "request_id", table.at))


def _consequences(undo: Undo, places: set[Place]) -> list[UndoItem]:
    """Return what definitions gave at these places, and not for an event."""
    if not places:
        return []
    window = written_between(undo.since, undo.until + LONGEST_UNIT, None)
    by_definition = Q(actor__startswith=f"{ActorKind.DEFINITION}:") & window
    items: list[UndoItem] = []
    for name, table in cause_tables.items():
        rows = table.rows(undo.tenant).filter(by_definition, participant_id__in={place[0] for place in places})
        rows = rows.filter(**{f"{table.at}__in": {place[2] for place in places}})
        rows = rows.filter(event_id=None) if table.is_of_event else rows
        items += [_consequence(undo, name, table, row) for row in rows if _place(row, table) in places]
    return items


def _consequence(undo: Undo, name: str, table: CauseTable, row: Any) -> UndoItem:
    item = _item(undo, name, row)
    item.is_consequence, item.turn = True, Turn.LAST if table.comes_last(row) else Turn.NORMAL
    return item


def _dependent(undo: Undo, name: str, found: Dependent) -> UndoItem:
    item = UndoItem(
        undo=undo,
        tenant_id=undo.tenant_id,
        participant_id=found.participant_id,
        type=name,
        row_id=found.row_id,
        is_consequence=True,
        turn=Turn.CHECK,
    )
    if found.obstacle is not None:
        item.state, item.reason = ItemState.KEPT, found.obstacle
    return item
