"""The first read of every unit: it locks the participants in the order of their ids, so that two units cannot deadlock."""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from participants.database import Among, Query, Read, Rows, Slot, values_for_among
from participants.models import Participant, Tenant

ID = Participant._meta.get_field("id")
TENANT = Slot("tenant", Participant._meta.get_field("tenant"))
_EXTERNAL_ID = Participant._meta.get_field("external_id")


def participants_named(slot: str, size: int) -> "QuerySet[Participant]":
    """Declare a query of the tenant's participants whose external id is one of the values of `slot`. `size` as in `Among`."""
    return Participant.objects.filter(Among("external_id", slot, _EXTERNAL_ID, size=size), tenant=TENANT)


def lock_by_name(tenant: Tenant, external_ids: Iterable[str], *, locks: bool = True) -> Read:
    """Lock the participants that exist, and wait for units that hold them. Without `locks` they are only read."""
    names = sorted(set(external_ids))
    if not names:
        return lambda connection: list

    def execute(connection: BaseDatabaseWrapper) -> Callable[[], Rows]:
        values, size = values_for_among(names, connection)
        return _BY_NAME.execute(connection, {"tenant": tenant.pk, "names": values}, size=size, locks=locks)

    return execute


def _declare_by_name(*, size: int, locks: bool) -> "QuerySet[Participant]":
    ordered = participants_named("names", size).order_by("id")
    return ordered.select_for_update(no_key=True) if locks else ordered


_BY_NAME = Query(_declare_by_name)


def lock_by_id(tenant: Tenant, ids: Iterable[UUID], *, waits: bool, only: Iterable[str] = ()) -> Read:
    """Lock the participants that exist. `only` limits the columns that are read; empty means all.

    With `waits` it waits for units that hold them. Otherwise locked participants are skipped (PostgreSQL).
    """
    wanted = sorted(set(ids))
    if not wanted:
        return lambda connection: list

    def execute(connection: BaseDatabaseWrapper) -> Callable[[], Rows]:
        values, size = values_for_among(wanted, connection)
        skips = not waits and connection.features.has_select_for_update_skip_locked
        return _BY_ID.execute(connection, {"tenant": tenant.pk, "ids": values}, size=size, skips=skips, only=(*only,))

    return execute


def _declare_by_id(*, size: int, skips: bool, only: tuple[str, ...]) -> "QuerySet[Participant]":
    existing = Participant.objects.filter(Among("id", "ids", ID, size=size), tenant=TENANT)
    return existing.only(*only).order_by("id").select_for_update(no_key=True, skip_locked=skips)


_BY_ID = Query(_declare_by_id)
