"""The first question of every unit: lock its participants, by id, so that no two units wait for each other in a circle."""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from participants.database import Among, Query, Read, Rows, Slot, pad_to_power_of_two, values_for_among
from participants.models import Participant, Tenant

_ID = Participant._meta.get_field("id")
_TENANT = Participant._meta.get_field("tenant")
_EXTERNAL_ID = Participant._meta.get_field("external_id")


def lock_by_name(tenant: Tenant, external_ids: Iterable[str], *, locks: bool = True) -> Read:
    """Lock those of `external_ids` that exist, and wait for who holds them; or only read them."""
    names = sorted(set(external_ids))
    if not names:
        return lambda connection: list
    names = pad_to_power_of_two(names)
    values = {"tenant": tenant.pk, "names": names}
    return lambda connection: _BY_NAME.execute(connection, values, size=len(names), locks=locks)


def _declare_by_name(*, size: int, locks: bool) -> "QuerySet[Participant]":
    names = [Slot("names", _EXTERNAL_ID, index) for index in range(size)]
    existing = Participant.objects.filter(tenant=Slot("tenant", _TENANT), external_id__in=names)
    ordered = existing.order_by("id")
    return ordered.select_for_update(no_key=True) if locks else ordered


_BY_NAME = Query(_declare_by_name)


def lock_by_id(tenant: Tenant, ids: Iterable[UUID], *, waits: bool, only: Iterable[str] = ()) -> Read:
    """Lock those of `ids` that exist; unless it waits, those that nobody holds, and leave the others to whoever does.

    Of each are read the columns in `only`, where there are any.
    """
    wanted = sorted(set(ids))
    if not wanted:
        return lambda connection: list

    def ask(connection: BaseDatabaseWrapper) -> Callable[[], Rows]:
        values, size = values_for_among(wanted, connection)
        skips = not waits and connection.features.has_select_for_update_skip_locked
        return _BY_ID.execute(connection, {"tenant": tenant.pk, "ids": values}, size=size, skips=skips, only=(*only,))

    return ask


def _declare_by_id(*, size: int, skips: bool, only: tuple[str, ...]) -> "QuerySet[Participant]":
    existing = Participant.objects.filter(Among("id", "ids", _ID, size=size), tenant=Slot("tenant", _TENANT))
    return existing.only(*only).order_by("id").select_for_update(no_key=True, skip_locked=skips)


_BY_ID = Query(_declare_by_id)
