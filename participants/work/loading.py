"""Rows of the unit's participants, read behind the lock in the round trip of the lock."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model, Q, QuerySet

from participants.database import Among, Query, Read, Rows, Slot, pad_to_power_of_two, values_for_among
from participants.models import Participant, Tenant

_TENANT = Participant._meta.get_field("tenant")
_ID = Participant._meta.get_field("id")
_EXTERNAL_ID = Participant._meta.get_field("external_id")


@dataclass(frozen=True)
class Load:
    """Rows of `model` that a unit needs: those of its participants whose `column` is one of `values`."""

    model: type[Model]
    column: str
    values: tuple[Any, ...]


def read_by_name(load: Load, tenant: Tenant, external_ids: Iterable[str]) -> Read:
    """Asks for the rows of `load`; participants by subquery, since their ids are not known before the lock."""
    people = sorted(set(external_ids))
    if not people:
        return lambda connection: list
    people, wanted = pad_to_power_of_two(people), pad_to_power_of_two(load.values)
    values = {"tenant": tenant.pk, "people": people, "wanted": wanted}
    shape = {"people": len(people), "wanted": len(wanted)}
    return lambda connection: _by_name(load.model, load.column).execute(connection, values, **shape)


@cache
def _by_name(model: type[Model], column: str) -> Query[Any]:
    def declare(*, people: int, wanted: int) -> "QuerySet[Any]":
        names = [Slot("people", _EXTERNAL_ID, index) for index in range(people)]
        participants = Participant.objects.filter(tenant=Slot("tenant", _TENANT), external_id__in=names)
        rows = _narrowed(model, column, wanted)
        return rows.filter(participant__in=participants.values("id")).order_by()

    return Query(declare)


def read_by_id(load: Load, tenant: Tenant, participant_ids: Iterable[UUID]) -> Read:
    """Asks for the rows of `load` of participants whose ids are known."""
    people, wanted = sorted(set(participant_ids)), pad_to_power_of_two(load.values)
    if not people:
        return lambda connection: list

    def ask(connection: BaseDatabaseWrapper) -> Callable[[], Rows]:
        ids, size = values_for_among(people, connection)
        values = {"tenant": tenant.pk, "people": ids, "wanted": wanted}
        return _by_id(load.model, load.column).execute(connection, values, people=size, wanted=len(wanted))

    return ask


@cache
def _by_id(model: type[Model], column: str) -> Query[Any]:
    def declare(*, people: int, wanted: int) -> "QuerySet[Any]":
        rows = _narrowed(model, column, wanted)
        return rows.filter(Among("participant_id", "people", _ID, size=people)).order_by()

    return Query(declare)


def _narrowed(model: type[Model], column: str, wanted: int) -> "QuerySet[Any]":
    """The tenant's rows whose column is one of so many values."""
    field = cast("Field[Any, Any]", model._meta.get_field(column))
    # Not `__in`: for a foreign key Django prepares each value of a list, and a slot is none yet.
    any_of = Q(*[(column, Slot("wanted", field, index)) for index in range(wanted)], _connector=Q.OR)
    return model._default_manager.filter(any_of, tenant=Slot("tenant", _TENANT))
