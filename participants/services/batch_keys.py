"""Hashes the idempotency keys of batches, because they outlive participants and their text may contain participants' ids.

A key stays readable for READABLE_DAYS, because during an update a process of the previous release looks for the text only. A hashed
key is still recognized (`IdempotencyRequest.possible_keys`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from participants.ids import first_id_at
from participants.models import IdempotencyKey, Participant, Tenant
from participants.work.idempotency import BATCH_KEY_MARK, hash_batch_key

CHUNK = 1_000
READABLE_DAYS = 7


def hash_keys_that_name(participant: Participant) -> None:
    """Hash the tenant's batch keys that contain the participant's id."""
    _hash(list(_readable(participant.tenant_id).filter(key__contains=participant.external_id)))


def hash_old_keys(*, now: datetime) -> Iterator[int]:
    """Hash the batch keys of all tenants that are older than READABLE_DAYS. Yields the number of keys of each step."""
    before = first_id_at(now - timedelta(days=READABLE_DAYS))
    for tenant_id in Tenant.objects.order_by("pk").values_list("pk", flat=True):
        while rows := list(_readable(tenant_id).filter(pk__lt=before)[:CHUNK]):
            _hash(rows)
            yield len(rows)


def _readable(tenant_id: UUID) -> "QuerySet[IdempotencyKey]":
    rows = IdempotencyKey.objects.filter(tenant_id=tenant_id, subject=tenant_id)
    return rows.exclude(key__startswith=BATCH_KEY_MARK)


def _hash(rows: Sequence[IdempotencyKey]) -> None:
    for row in rows:
        row.key = hash_batch_key(row.key)
    IdempotencyKey.objects.bulk_update(rows, ["key"])
