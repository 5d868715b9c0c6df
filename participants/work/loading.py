"""Rows of a unit's participants. They are read behind the lock, in the round trip of the lock."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model, Q, QuerySet

from participants.database import Among, Query, Read, Rows, Slot, pad_to_power_of_two, values_for_among
from participants.models import Tenant
from participants.work.locking import ID, TENANT, participants_named


@dataclass(frozen=True)
class Load:
    """The rows of `model` that belong to the unit's participants and whose `column` is one of `values`."""

    model: type[Model]
    column: str
    values: tuple[Any, ...]


def read_by_name(load: Load, tenant: Tenant, external_ids: Iterable[str]) -> Read:
    """Read the rows of `load`. Participants are found by subquery, because their ids are not known before the lock."""
    names = sorted(set(external_ids))
    if not names:
        return lambda connection: list
    wanted = pad_to_power_of_two(load.values)

    def execute(connection: BaseDatabaseWrapper) -> Callable[[], Rows]:
        participants, size = values_for_among(names, connection)
        values = {"tenant": tenant.pk, "names": participants, "wanted": wanted}
        return _by_name(load.model, load.column).execute(connection, values, size=size, wanted=len(wanted))

    return execute


@cache
def _by_name(model: type[Model], column: str) -> Query[Any]:
    def declare(*, size: int, wanted: int) -> "QuerySet[Any]":
        rows = _rows_with_value(model, column, wanted)
        return rows.filter(participant__in=participants_named("names", size).values("id")).order_by()

    return Query(declare)


def read_by_id(load: Load, tenant: Tenant, participant_ids: Iterable[UUID]) -> Read:
    """Read the rows of `load` for participants whose ids are known."""
    ids, wanted = sorted(set(participant_ids)), pad_to_power_of_two(load.values)
    if not ids:
        return lambda connection: list

    def execute(connection: BaseDatabaseWrapper) -> Callable[[], Rows]:
        participants, size = values_for_among(ids, connection)
        values = {"tenant": tenant.pk, "participants": participants, "wanted": wanted}
        return _by_id(load.model, load.column).execute(connection, values, size=size, wanted=len(wanted))

    return execute


@cache
def _by_id(model: type[Model], column: str) -> Query[Any]:
    def declare(*, size: int, wanted: int) -> "QuerySet[Any]":
        rows = _rows_with_value(model, column, wanted)
        return rows.filter(Among("participant_id", "participants", ID, size=size)).order_by()

    return Query(declare)


def _rows_with_value(model: type[Model], column: str, wanted: int) -> "QuerySet[Any]":
    """The tenant's rows whose `column` is one of `wanted` values; `wanted` is their number."""
    field = cast("Field[Any, Any]", model._meta.get_field(column))
    # Not `__in`: for a foreign key Django would prepare each value of the list, and a slot has no value yet.
    any_of = Q(*[(column, Slot("wanted", field, index)) for index in range(wanted)], _connector=Q.OR)
    return model._default_manager.filter(any_of, tenant=TENANT)
