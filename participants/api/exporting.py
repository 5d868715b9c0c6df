"""Kinds of export: what can leave the product as a file. Each domain registers its own in `exports.py`.

An export reads pages of rows, each after the last row of the page before (keyset). So its memory does not grow with the table, and
it can stop after any page and go on there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan
from rest_framework import serializers

from participants.api.fields import ParticipantIdField
from participants.api.nested import NestedObject
from participants.api.scalars import CalendarInstantField
from participants.errors import InvalidInput
from participants.ids import first_id_at
from participants.models import Definition, Tenant
from participants.registries import Registry

Filters = Mapping[str, Any]
"""Validated filters of one export, by name. A filter that was not given is absent."""

Key = tuple[Any, ...]
"""The values of the columns by which rows are sorted."""


@dataclass(frozen=True)
class Scope:
    """What one export contains: rows of `tenant` that were written up to `asked_at` and that `filters` select."""

    tenant: Tenant
    filters: Filters
    asked_at: datetime

    @property
    def of_tenant(self) -> Q:
        return Q(tenant_id=self.tenant.pk)

    @property
    def written(self) -> Q:
        """Condition: the row was written up to `asked_at`. Ids are ordered by time. So later writes do not change the file."""
        return Q(pk__lt=first_id_at(self.asked_at + timedelta(milliseconds=1)))

    def between(self, column: str) -> Q:
        """Condition: `column` is from `since` up to and without `until`, where these filters are given."""
        condition = Q()
        if "since" in self.filters:
            condition &= Q(**{f"{column}__gte": self.filters["since"]})
        if "until" in self.filters:
            condition &= Q(**{f"{column}__lt": self.filters["until"]})
        return condition

    def matching(self, **columns: str) -> Q:
        """Condition: each column has the value of its filter, where the filter is given. Example: `type="type"`."""
        return Q(**{column: self.filters[name] for column, name in columns.items() if name in self.filters})

    @property
    def of_participant(self) -> Q:
        return self.matching(participant__external_id="participant_id")


def _no_check(scope: Scope) -> None:
    """For kinds whose filters need no look at the database."""


def _as_read(scope: Scope, rows: Sequence[Any], number: int) -> Iterable[Sequence[Any]]:
    return rows


@dataclass(frozen=True, kw_only=True)
class ExportKind:
    """One kind of export.

    - `title`, `about`: its name for people, and what one row of the file is.
    - `columns`: the meaning of each column, in the order of the file. New columns are added at the end.
    - `filters`: the serializer of its filters.
    - `rows(scope)`: all rows. If `fields` is empty, they are read as objects, else as tuples of these columns.
    - `order`: the columns by which rows are sorted; `descending` reverses all of them. Together they are unique, and an index begins with the
      tenant and them, so that a page costs the same wherever it begins.
    - `render(scope, rows, number)`: the values of `columns` for a page of rows. `number` is how many rows come before it. Rows may be
      left out.
    - `check(scope)`: refuses filters that name nothing. Raises InvalidInput.
    - `prepare(scope)`: called before the first page, for example to write what is still waiting.
    - `permission`: what staff need to create and to fetch it. `key_scope`: what a key needs besides the admin scope; empty: nothing.
    """

    title: str
    about: str
    columns: Mapping[str, str]
    filters: type[NestedObject]
    rows: Callable[[Scope], "QuerySet[Any, Any]"]
    order: Sequence[str]
    permission: str
    fields: Sequence[str] = ()
    descending: bool = False
    render: Callable[[Scope, Sequence[Any], int], Iterable[Sequence[Any]]] = field(default=_as_read)
    check: Callable[[Scope], None] = field(default=_no_check)
    prepare: Callable[[Scope], None] = field(default=_no_check)
    key_scope: str = ""

    def page(self, scope: Scope, *, after: Key | None, limit: int) -> Sequence[Any]:
        """Return the next `limit` rows. `after` is the key of the last row of the page before, None at the beginning."""
        rows = self.rows(scope)
        if after is not None:
            is_later = TupleLessThan if self.descending else TupleGreaterThan
            rows = rows.filter(is_later(tuple(F(name) for name in self.order), after))
        rows = rows.order_by(*(f"-{name}" if self.descending else name for name in self.order))
        if self.fields:
            rows = rows.values_list(*self.order, *self.fields)
        return list(rows[:limit])

    def key_of(self, row: Any) -> Key:
        """Return the key of a row of `page`."""
        if self.fields:
            return tuple(row[: len(self.order)])
        return tuple(getattr(row, name) for name in self.order)

    def values(self, scope: Scope, rows: Sequence[Any], number: int) -> Iterable[Sequence[Any]]:
        """Return the values of the columns for the rows of a page."""
        if self.fields:
            rows = [row[len(self.order) :] for row in rows]
        return self.render(scope, rows, number)


export_kinds: Registry[ExportKind] = Registry("Export kind")


# --- filters that several kinds have ----------------------------------------------------------------------------------


class PeriodFilters(NestedObject):
    since = CalendarInstantField(required=False, help_text="Only from this instant on.")
    until = CalendarInstantField(required=False, help_text="Only before this instant.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "since" in attrs and "until" in attrs and attrs["since"] >= attrs["until"]:
            raise serializers.ValidationError({"until": ["Must be after since."]})
        return attrs


class ParticipantFilters(NestedObject):
    participant_id = ParticipantIdField(required=False, help_text="Only rows of this participant.")


class ParticipantPeriodFilters(ParticipantFilters, PeriodFilters):
    pass


def check_code(scope: Scope, model: type[Definition], name: str) -> None:
    """Refuse the filter `name` if it is not the code of a definition. Raises InvalidInput."""
    if name in scope.filters and not model.objects.of(scope.tenant).filter(code=scope.filters[name]).exists():
        raise InvalidInput(f"filters.{name}", f"There is no {model._meta.verbose_name} with this code.")
