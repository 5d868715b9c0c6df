"""Removes old events and deliveries. They are found by primary key, which is ordered by time.

Each call processes one chunk and returns the number of its rows: 0 if nothing is left.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from gamify.webhooks.models import Delivery, FeedHead
from participants.auditing import PARTICIPANT_DELETED
from participants.ids import first_id_at
from participants.models import DomainEvent
from participants.secrets import keyed_hashes

CHUNK = 1_000
ERASED = r"^erased_[0-9a-f]{64}$"


@transaction.atomic
def prune_events(*, before: datetime) -> int:
    """Remove the next chunk of the events before `before`, of all tenants.

    The heads of the feeds are updated first: a concurrent reader then gets CursorExpired instead of a gap.
    Events that record an erasure stay, because audits need them.
    """
    old = (
        DomainEvent.objects.filter(pk__lt=first_id_at(before)).exclude(position=None).exclude(type=PARTICIPANT_DELETED)
    )
    rows = list(old.order_by("pk").values_list("pk", "tenant_id", "position")[:CHUNK])
    for tenant_id in sorted({tenant_id for _, tenant_id, _ in rows}):
        last = max(position or 0 for _, owner, position in rows if owner == tenant_id)
        heads = FeedHead.objects.filter(pk=tenant_id)
        heads.update(pruned_through=Greatest(F("pruned_through"), last))
    return _delete(DomainEvent, [pk for pk, _, _ in rows])


@transaction.atomic
def forget_erased_ids(*, before: datetime) -> int:
    """Replace the ids of erased participants in the next chunk of the events before `before`.

    `participant.deleted` itself stays, because audits need it. By then every follower of the feed has read whom to erase.
    """
    old = DomainEvent.objects.filter(type=PARTICIPANT_DELETED, pk__lt=first_id_at(before)).exclude(position=None)
    rows = list(old.exclude(data__participant_id__regex=ERASED).order_by("pk")[:CHUNK])
    for row in rows:
        hashed = keyed_hashes(row.data["participant_id"], purpose=f"erased:{row.tenant_id}")[0]
        row.data = {**row.data, "participant_id": f"erased_{hashed}"}
    DomainEvent.objects.bulk_update(rows, ["data"])
    return len(rows)


@transaction.atomic
def prune_deliveries(*, before: datetime) -> int:
    """Remove the next chunk of the deliveries that were created before `before`, whatever their status."""
    old = Delivery.objects.filter(pk__lt=first_id_at(before)).order_by("pk")
    return _delete(Delivery, list(old.values_list("pk", flat=True)[:CHUNK]))


def _delete(model: type[DomainEvent] | type[Delivery], ids: Sequence[UUID]) -> int:
    if ids:
        model._default_manager.filter(pk__in=ids).delete()
    return len(ids)
