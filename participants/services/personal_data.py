"""What the personal export contains of each table.

A table is declared beside the eraser that deletes its rows, so a new table with data of participants cannot be left out of the export.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import Field, ForeignKey, Model, Q, QuerySet

from participants.models import Attributed, Definition, Participant

PAGE = 200
NOT_EXPORTED = frozenset({"tenant_id", "participant_id", "actor", "actor_label", "retry_at", "lease"})
"""Columns that all rows share, that `columns_of` shows in another form, or that only the product's own workers use."""


def columns_of(row: Model) -> dict[str, Any]:
    """Return the columns of a row by name, its actor, and beside the id of a definition its code."""
    fields = cast("Sequence[Field[Any, Any]]", row._meta.concrete_fields)
    values = {field.attname: getattr(row, field.attname) for field in fields if field.attname not in NOT_EXPORTED}
    codes = {f"{name}_code": getattr(row, name).code for name in definitions_in(type(row))}
    actor = {"actor": row.actor_json} if isinstance(row, Attributed) else {}
    return {**values, **codes, **actor}


def definitions_in(model: type[Model]) -> Sequence[str]:
    """Return the names of the foreign keys to definitions."""
    keys = (field for field in model._meta.concrete_fields if isinstance(field, ForeignKey))
    return [field.name for field in keys if issubclass(field.related_model, Definition)]


@dataclass(frozen=True)
class PersonalTable:
    """A table with data of participants.

    - `about` says in the documentation what its rows are.
    - `order` names columns that sort the rows of one participant, each differently. An index should have them after the
      participant, because the rows are read page by page.
    - `rows(participant)`: their rows. Default: those that name the participant.
    - `describe(row)`: the exported object.
    """

    model: Any
    about: str
    order: Sequence[str] = ("pk",)
    rows: Callable[[Participant], "QuerySet[Any]"] | None = None
    describe: Callable[[Any], Mapping[str, Any]] = columns_of

    def pages(self, participant: Participant) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Yield the rows of a participant as objects, PAGE at a time, so that the memory does not depend on their number."""
        rows = self.model.objects.of(participant) if self.rows is None else self.rows(participant)
        rows = rows.select_related(*definitions_in(self.model)).order_by(*self.order)
        page = list(rows[:PAGE])
        while page:
            yield [self.describe(row) for row in page]
            page = list(rows.filter(self._after(page[-1]))[:PAGE]) if len(page) == PAGE else []

    def _after(self, last: Any) -> Q:
        """Return the condition for the rows behind `last`. The first column is compared alone too, so that an index limits the scan."""
        values = [getattr(last, name) for name in self.order]
        behind = Q(pk__in=[])
        for number, (name, value) in enumerate(zip(self.order, values, strict=True)):
            same = dict(zip(self.order[:number], values[:number], strict=True))
            behind |= Q(**same, **{f"{name}__gt": value})
        return Q(**{f"{self.order[0]}__gte": values[0]}) & behind
