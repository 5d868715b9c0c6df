"""The change log of configuration: who changed what, when, why, and the values before and after.

The services that write configuration record their changes here, in the same transaction. So the console, the API and commands leave
the same rows. A change without an actor is refused (`NoActor`).
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Max, Model

from participants.actors import change_reason, current_actor
from participants.models import ConfigurationChange, Definition

HIDDEN = {"before": "(hidden)", "after": "(changed)"}
"""Recorded instead of the values of a secret that was replaced."""

NOT_RECORDED = frozenset({"id", "tenant", "created_at", "updated_at"})

Changes = Mapping[str, Mapping[str, Any]]


def record_change(
    row: Model,
    *,
    object_type: str,
    code: str,
    changes: Changes,
    tenant_id: UUID | None,
    now: datetime,
    number: int | None = None,
) -> None:
    """Record a change of `row`. Nothing is recorded if `changes` is empty."""
    if changes:
        _record(row, object_type=object_type, code=code, changes=changes, tenant_id=tenant_id, now=now, number=number)


def record_export(row: Model, *, object_type: str, code: str, tenant_id: UUID, now: datetime) -> None:
    """Record that the data of `row` were exported. Nothing was changed, so `changes` is empty."""
    _record(row, object_type=object_type, code=code, changes={}, tenant_id=tenant_id, now=now, number=None)


def _record(
    row: Model,
    *,
    object_type: str,
    code: str,
    changes: Changes,
    tenant_id: UUID | None,
    now: datetime,
    number: int | None,
) -> None:
    change = ConfigurationChange(
        tenant_id=tenant_id,
        object_type=object_type,
        object_id=str(row.pk),
        code=code[:_MAX_CODE],
        number=number,
        changes=json.loads(json.dumps(changes, cls=DjangoJSONEncoder)),
        reason=change_reason(),
        created_at=now,
    )
    change.attribute_to(current_actor())
    change.save(force_insert=True)


_MAX_CODE = 255


def created(row: Model, *names: str) -> Changes:
    """Return the change that created `row`: the fields `names` that have a value."""
    values = {name: getattr(row, name) for name in names}
    return {name: {"before": None, "after": value} for name, value in values.items() if value not in (None, "", [])}


def removed(row: Model, *names: str) -> Changes:
    """Return the change that deleted `row`: its values of the fields `names`."""
    return {name: {"before": getattr(row, name), "after": None} for name in names}


def updated(before: Mapping[str, Any], row: Model) -> dict[str, Mapping[str, Any]]:
    """Return the change of `row` since `before`, the earlier values by field."""
    after = {name: getattr(row, name) for name in before}
    return {name: {"before": before[name], "after": after[name]} for name in before if before[name] != after[name]}


# --- definitions ------------------------------------------------------------------------------------------------------


def record_new_definition(row: Definition, *, now: datetime) -> None:
    """Record the first version of a definition, with all its settings."""
    changes = {name: {"before": None, "after": getattr(row, name)} for name in settings_of(type(row))}
    _record_version(row, changes, number=1, now=now)


def record_new_version(row: Definition, *, before: Mapping[str, Any], now: datetime) -> None:
    """Record a change of a definition, whose row is locked. `before` are the earlier values by field.

    Fields that staff do not set, such as the progress of a review, are not recorded.
    """
    settings = set(settings_of(type(row)))
    changes = updated({name: value for name, value in before.items() if name in settings}, row)
    if changes:
        _record_version(row, changes, number=newest_number(row) + 1, now=now)


def _record_version(row: Definition, changes: Changes, *, number: int, now: datetime) -> None:
    record_change(
        row,
        object_type=type_of(type(row)),
        code=row.code,
        changes=changes,
        tenant_id=row.tenant_id,
        number=number,
        now=now,
    )


def newest_number(row: Definition) -> int:
    """Return the number of the newest version. A definition that an earlier release wrote begins with version 1."""
    known = ConfigurationChange.objects.filter(
        tenant_id=row.tenant_id, object_type=type_of(type(row)), object_id=str(row.pk)
    )
    return cast("int", known.aggregate(newest=Max("number"))["newest"] or 1)


def type_of(model: type[Model]) -> str:
    """Return the `object_type` of definitions: `badge`, `tier`, `streak`, …"""
    return str(model._meta.model_name)


def settings_of(model: type[Definition]) -> Iterable[str]:
    """Return the fields of a definition that staff set, in the order of the model."""
    fields = cast("Iterable[Field[Any, Any]]", model._meta.concrete_fields)
    return [field.name for field in fields if field.editable and field.name not in NOT_RECORDED]
