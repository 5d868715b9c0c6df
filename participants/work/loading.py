"""Rows of the unit's participants, read behind the lock in the round trip of the lock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from django.db.models import Field, Model, Q, QuerySet

from participants.models import Participant, Tenant
from participants.work.queries import Query, Slot, padded
from participants.work.transaction import Question

_TENANT = Participant._meta.get_field("tenant")
_EXTERNAL_ID = Participant._meta.get_field("external_id")


@dataclass(frozen=True)
class Load:
    """Rows of `model` that a unit needs: those of its participants whose `column` is one of `values`."""

    model: type[Model]
    column: str
    values: tuple[Any, ...]


def question_of(load: Load, tenant: Tenant, external_ids: Iterable[str]) -> Question:
    """Asks for the rows of `load`; participants by subquery, since their ids are not known before the lock."""
    people: Sequence[str] = padded(sorted(set(external_ids)))
    wanted = padded(load.values)
    values = {"tenant": tenant.pk, "people": people, "wanted": wanted}
    shape = {"people": len(people), "wanted": len(wanted)}
    return lambda connection: _query(load.model, load.column).ask(connection, values, **shape)


@cache
def _query(model: type[Model], column: str) -> Query[Any]:
    def declare(*, people: int, wanted: int) -> "QuerySet[Any]":
        external_ids = [Slot("people", _EXTERNAL_ID, index) for index in range(people)]
        participants = Participant.objects.filter(tenant=Slot("tenant", _TENANT), external_id__in=external_ids)
        field = cast("Field[Any, Any]", model._meta.get_field(column))
        # Not `__in`: for a foreign key Django prepares each value of a list, and a slot is none yet.
        narrowed = Q(*[(column, Slot("wanted", field, index)) for index in range(wanted)], _connector=Q.OR)
        rows = model._default_manager.filter(tenant=Slot("tenant", _TENANT), participant__in=participants.values("id"))
        return rows.filter(narrowed).order_by()

    return Query(declare)
