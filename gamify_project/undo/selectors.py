"""Reads of undos: the report of one, and what it kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count

from gamify_project.undo.models import ItemState, Undo, UndoItem
from gamify_project.undo.services import UndoNotFound
from participants.models import Tenant
from participants.selectors import row_by_id


@dataclass(frozen=True)
class Report:
    """How far an undo is: the number of items by type and state. What stays of a row that was taken back counts as kept."""

    undo: Undo
    by_type: Mapping[str, Mapping[str, int]]

    def number(self, state: str) -> int:
        return sum(counts.get(state, 0) for counts in self.by_type.values())

    @property
    def reversed(self) -> int:
        return self.number(ItemState.REVERSED)

    @property
    def kept(self) -> int:
        return self.number(ItemState.KEPT)

    @property
    def waiting(self) -> int:
        return self.number(ItemState.WAITING)


def get_undo(tenant: Tenant, undo_id: str) -> Undo:
    """Return the tenant's undo. Raises: UndoNotFound."""
    undo = row_by_id(Undo.objects.of(tenant).select_related("tenant"), undo_id)
    if undo is None:
        raise UndoNotFound(undo_id)
    return undo


def report_of(undo: Undo) -> Report:
    counts = UndoItem.objects.filter(undo=undo).order_by().values_list("type", "state").annotate(number=Count("pk"))
    by_type: dict[str, dict[str, int]] = {}
    for type_name, state, number in counts:
        by_type.setdefault(type_name, dict.fromkeys(ItemState.values, 0))[state] = number
    return Report(undo, dict(sorted(by_type.items())))


def kept_page(undo: Undo, *, after: UUID | None, limit: int) -> tuple[Sequence[UndoItem], UUID | None]:
    """Return up to `limit` kept items with their participants, and the cursor of the next page, None after the last one."""
    rows: Any = UndoItem.objects.filter(undo=undo, state=ItemState.KEPT).select_related("participant").order_by("id")
    found = list((rows if after is None else rows.filter(pk__gt=after))[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None
