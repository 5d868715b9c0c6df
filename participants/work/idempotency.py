"""Idempotency inside a unit of work (contract §3): looked up after the lock and before any rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from participants.errors import DomainError
from participants.models import IdempotencyKey, Participant, Tenant


class IdempotencyKeyReused(DomainError):
    code = "IDEMPOTENCY_KEY_REUSED"
    status = 422

    def __init__(self, key: str) -> None:
        super().__init__(f"Idempotency key '{key}' was already used for a different request")


@dataclass(frozen=True)
class Once:
    """Do `operation` at most once under `key`. `digest` names what is asked: the same key with another is refused.

    `external_id` is the participant it concerns, or None where the key belongs to a whole batch.
    """

    operation: str
    key: str
    digest: str
    external_id: str | None


class KnownKeys:
    """The keys a unit may meet: found in the database after the lock, or used earlier in the same unit."""

    def __init__(self, rows: Iterable[IdempotencyKey]) -> None:
        self._rows = {(row.subject, row.operation, row.key): row for row in rows}

    def find(self, once: Once, subject: UUID) -> IdempotencyKey | None:
        """The row that answers `once`, or None if it is the first. Raises IdempotencyKeyReused."""
        row = self._rows.get((subject, once.operation, once.key))
        if row is not None and row.digest != once.digest:
            raise IdempotencyKeyReused(once.key)
        return row

    def remember(self, row: IdempotencyKey) -> None:
        self._rows[row.subject, row.operation, row.key] = row


def known_keys(
    tenant: Tenant, participants: "QuerySet[Participant]", onces: Iterable[Once]
) -> "QuerySet[IdempotencyKey]":
    """Rows for `onces`, asked in the same round trip as the lock: by subquery, since the ids are not known before."""
    onces = list(onces)
    wanted = Q(pk__in=[])
    if of_participants := {once.key for once in onces if once.external_id is not None}:
        wanted |= Q(subject__in=participants.order_by().values("id"), key__in=of_participants)
    if of_batch := {once.key for once in onces if once.external_id is None}:
        wanted |= Q(subject=tenant.pk, key__in=of_batch)
    operations = {once.operation for once in onces}
    return IdempotencyKey.objects.filter(wanted, tenant_id=tenant.pk, operation__in=operations)
