"""Kinds of export: what can leave the product as a file. Each domain registers its own in `exports.py`.

An export reads pages of rows, each after the last row of the page before (keyset). So its memory does not grow with the table, and
it can stop after any page and go on there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

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
    """What one export contains: rows of `tenant` that were written up to `asked_at` and that `filters` select.

    `subject` is what the filters name, as `ExportKind.find` returned it.
    """

    tenant: Tenant
    filters: Filters
    asked_at: datetime
    subject: Any = None

    @property
    def of_tenant(self) -> Q:
        return Q(tenant_id=self.tenant.pk)

    @property
    def written(self) -> Q:
        """Condition: the row was written up to `asked_at`. Ids are ordered by time. So later writes do not change the file."""
        return Q(pk__lt=self.first_later_id)

    @property
    def first_later_id(self) -> UUID:
        """Ids of rows that were written after `asked_at` are not below this one."""
        return first_id_at(self.asked_at + timedelta(milliseconds=1))

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


class ExportFilters(NestedObject):
    """The filters of one kind of export. Unknown filters are refused.

    `personal` names the filters whose value may be the id of a participant. The change log does not record them, and an erasure deletes
    the exports that have them.
    """

    personal: frozenset[str] = frozenset()


def _nothing(scope: Scope) -> None:
    """For kinds whose filters name nothing, and for those that have nothing to prepare."""


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
    - `find(scope)`: looks up what the filters name, such as a leaderboard. The other functions have its result in `scope.subject`.
      Raises InvalidInput if there is no such thing.
    - `prepare(scope)`: called before the first page, for example to write what is still waiting.
    - `permission`: what staff need to create and to fetch it. `key_scope`: what a key needs besides the admin scope; empty: nothing.
    """

    title: str
    about: str
    columns: Mapping[str, str]
    filters: type[ExportFilters]
    rows: Callable[[Scope], "QuerySet[Any, Any]"]
    order: Sequence[str]
    permission: str
    fields: Sequence[str] = ()
    descending: bool = False
    render: Callable[[Scope, Sequence[Any], int], Iterable[Sequence[Any]]] = field(default=_as_read)
    find: Callable[[Scope], Any] = field(default=_nothing)
    prepare: Callable[[Scope], None] = field(default=_nothing)
    key_scope: str = ""

    def open(self, scope: Scope) -> "OpenExport":
        """Return the rows of an export. Raises InvalidInput if a filter names nothing."""
        found = replace(scope, subject=self.find(scope))
        return OpenExport(self, found, self.rows(found))


@dataclass(frozen=True)
class OpenExport:
    """The rows of one export, to be read page by page. What its filters name was looked up once, in `scope.subject`."""

    kind: ExportKind
    scope: Scope
    rows: "QuerySet[Any, Any]"

    def prepare(self) -> None:
        self.kind.prepare(self.scope)

    def page(self, *, after: Key | None, limit: int) -> Sequence[Any]:
        """Return the next `limit` rows. `after` is the key of the last row of the page before, None at the beginning."""
        rows, order, descending = self.rows, self.kind.order, self.kind.descending
        if after is not None:
            is_later = TupleLessThan if descending else TupleGreaterThan
            rows = rows.filter(is_later(tuple(F(name) for name in order), after))
        rows = rows.order_by(*(f"-{name}" if descending else name for name in order))
        if self.kind.fields:
            rows = rows.values_list(*order, *self.kind.fields)
        return list(rows[:limit])

    def key_of(self, row: Any) -> Key:
        """Return the key of a row of `page`."""
        if self.kind.fields:
            return tuple(row[: len(self.kind.order)])
        return tuple(getattr(row, name) for name in self.kind.order)

    def values(self, rows: Sequence[Any], number: int) -> Iterable[Sequence[Any]]:
        """Return the values of the columns for the rows of a page. `number` is how many rows come before it."""
        if self.kind.fields:
            rows = [row[len(self.kind.order) :] for row in rows]
        return self.kind.render(self.scope, rows, number)


export_kinds: Registry[ExportKind] = Registry("Export kind")


# --- filters that several kinds have ----------------------------------------------------------------------------------


class PeriodFilters(ExportFilters):
    since = CalendarInstantField(required=False, help_text="Only from this instant on.")
    until = CalendarInstantField(required=False, help_text="Only before this instant.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "since" in attrs and "until" in attrs and attrs["since"] >= attrs["until"]:
            raise serializers.ValidationError({"until": ["Must be after since."]})
        return attrs


class ParticipantFilters(ExportFilters):
    personal = frozenset({"participant_id"})

    participant_id = ParticipantIdField(required=False, help_text="Only rows of this participant.")


class ParticipantPeriodFilters(ParticipantFilters, PeriodFilters):
    """The filters of most kinds: a participant, and a period."""


def check_code(scope: Scope, model: type[Definition], name: str) -> None:
    """Refuse the filter `name` if it is not the code of a definition. Raises InvalidInput."""
    if name in scope.filters and not model.objects.of(scope.tenant).filter(code=scope.filters[name]).exists():
        raise InvalidInput(f"filters.{name}", f"There is no {model._meta.verbose_name} with this code.")
