"""Which tables are in an archive: every model with a tenant, except those that a rule of their app leaves out, and those into which the
application may not insert rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Field, ForeignKey, IntegerField, Model, QuerySet

from participants.archiving import ArchiveRule, archive_rule
from participants.models import Tenant
from participants.services.append_only import append_only


@dataclass(frozen=True)
class Table:
    """One table of an archive, and the file with its rows."""

    model: type[Model]

    @property
    def label(self) -> str:
        return self.model._meta.label

    @property
    def file_name(self) -> str:
        return f"{self.label}.ndjson"

    @property
    def rule(self) -> ArchiveRule:
        return archive_rule(self.label)

    @property
    def left_out(self) -> str:
        """Why no row of the table is archived; empty if rows are archived."""
        if any(each.model is self.model and not each.is_insertable for each in append_only.values()):
            return "Only functions of the database insert its rows, so they cannot be restored."
        return self.rule.left_out

    @cached_property
    def fields(self) -> "Sequence[Field[Any, Any]]":
        """The columns in the file, in the order of the model. The tenant is not one of them: rows may be restored into another."""
        left_out = {"tenant_id", *self.rule.made_anew}
        return [field for field in self.model._meta.concrete_fields if field.attname not in left_out]

    @cached_property
    def columns(self) -> Sequence[str]:
        return [field.attname for field in self.fields]

    @cached_property
    def numbers(self) -> Sequence[str]:
        """The columns whose sums are in the manifest."""
        return [field.attname for field in self.fields if isinstance(field, IntegerField)]

    @property
    def has_one_row(self) -> bool:
        """Whether the tenant itself is the key, so that the table has at most one row of it."""
        return self.model._meta.pk.attname == "tenant_id"

    def rows(self, tenant_id: UUID) -> "QuerySet[Any]":
        return self.model._base_manager.filter(tenant_id=tenant_id)


def all_tables() -> Sequence[Table]:
    """Return the tables of all models by label, archived or not."""
    return sorted(map(Table, apps.get_models()), key=attrgetter("label"))


def archived_tables() -> Sequence[Table]:
    """Return the tables of an archive. A table comes after those to which its foreign keys refer."""
    done: dict[type[Model], Table] = {}
    for model in apps.get_models():
        _visit(model, done)
    return [table for table in done.values() if not table.left_out and is_of_tenants(table.model)]


def _visit(model: type[Model], done: dict[type[Model], Table]) -> None:
    if model in done:
        return
    for other in _referred(model):
        _visit(other, done)
    done[model] = Table(model)


def _referred(model: type[Model]) -> Iterator[type[Model]]:
    for field in model._meta.concrete_fields:
        if isinstance(field, ForeignKey) and getattr(field, "db_constraint", True) and field.related_model is not model:
            yield field.related_model


def is_of_tenants(model: type[Model]) -> bool:
    """Whether each row of the model names its tenant."""
    return any(
        isinstance(field, ForeignKey) and field.name == "tenant" and field.related_model is Tenant
        for field in model._meta.concrete_fields
    )
