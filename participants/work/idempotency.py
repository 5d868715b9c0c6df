"""Idempotency in a unit of work (docs/contract.md §3). Stored keys are read behind the lock and checked before any rule."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from participants.database import Among, Query, Read, Rows, values_for_among
from participants.errors import DomainError
from participants.models import IdempotencyKey, Tenant
from participants.secrets import keyed_hashes
from participants.work.locking import TENANT, participants_named


class IdempotencyKeyReused(DomainError):
    code = "IDEMPOTENCY_KEY_REUSED"
    status = 422
    text = "Idempotency key was already used for a different request"


@dataclass(frozen=True)
class IdempotencyRequest:
    """A request to run `operation` at most once under `key`.

    - `digest` identifies the content of the request. The same key with another digest is refused.
    - `external_id` is the participant whom the operation concerns. It is None for the key of a whole batch.
    - `former_digests` are accepted like `digest`. They were computed with earlier secrets of the installation.
    """

    operation: str
    key: str
    digest: str
    external_id: str | None
    former_digests: tuple[str, ...] = ()

    @property
    def possible_keys(self) -> tuple[str, ...]:
        """All texts under which `key` may be stored. Keys of batches are replaced by a hash after a while (`hash_batch_key`)."""
        hashes = keyed_hashes(self.key, purpose=BATCH_KEYS) if self.external_id is None else ()
        return (self.key, *map(_mark, hashes))


BATCH_KEYS = "batch keys"
BATCH_KEY_MARK = "#"


def hash_batch_key(key: str) -> str:
    """Return the text that replaces a batch's `key`: BATCH_KEY_MARK and a keyed hash. No client's key begins with the mark.

    The row of a batch outlives participants, and the text of its key may contain their ids.
    """
    return _mark(keyed_hashes(key, purpose=BATCH_KEYS)[0])


def _mark(key_hash: str) -> str:
    return BATCH_KEY_MARK + key_hash


class KnownKeys:
    """The stored keys that a unit may meet: read from the database behind the lock, or added earlier in the unit."""

    def __init__(self, rows: Iterable[IdempotencyKey]) -> None:
        self._rows = {(row.subject, row.operation, row.key): row for row in rows}

    def find(self, idempotency: IdempotencyRequest, subject: UUID) -> IdempotencyKey | None:
        """Return the stored row for `idempotency`, or None if it is the first request. Raises IdempotencyKeyReused."""
        if not self._rows:
            return None
        candidates = ((subject, idempotency.operation, key) for key in idempotency.possible_keys)
        row = next((self._rows[each] for each in candidates if each in self._rows), None)
        if row is not None and row.digest not in (idempotency.digest, *idempotency.former_digests):
            raise IdempotencyKeyReused(idempotency.key)
        return row

    def add(self, row: IdempotencyKey) -> None:
        self._rows[row.subject, row.operation, row.key] = row


_OPERATION = IdempotencyKey._meta.get_field("operation")
_KEY = IdempotencyKey._meta.get_field("key")


def _declare(subjects: Any, *, keys: int, operations: int) -> "QuerySet[IdempotencyKey]":
    return IdempotencyKey.objects.filter(
        Among("operation", "operations", _OPERATION, size=operations),
        Among("key", "keys", _KEY, size=keys),
        tenant=TENANT,
        subject__in=subjects,
    )


def _declare_for_participants(*, external_ids: int, **shape: int) -> "QuerySet[IdempotencyKey]":
    """Participants are found by subquery, because their ids are not known before the lock."""
    return _declare(participants_named("external_ids", external_ids).values("id"), **shape)


def _declare_for_batch(*, external_ids: int, **shape: int) -> "QuerySet[IdempotencyKey]":
    return _declare([TENANT], **shape)


_FOR_PARTICIPANTS = Query(_declare_for_participants)
_FOR_BATCH = Query(_declare_for_batch)


def known_keys(tenant: Tenant, idempotency_requests: Iterable[IdempotencyRequest]) -> list[Read]:
    """Reads of the stored rows for `idempotency_requests`. They run behind the lock, in its round trip."""
    of_batches = [each for each in idempotency_requests if each.external_id is None]
    of_participants = [each for each in idempotency_requests if each.external_id is not None]
    return [
        _read(query, tenant, requests)
        for query, requests in ((_FOR_BATCH, of_batches), (_FOR_PARTICIPANTS, of_participants))
        if requests
    ]


def _read(query: Query[IdempotencyKey], tenant: Tenant, requests: Iterable[IdempotencyRequest]) -> Read:
    wanted = {
        "external_ids": sorted({each.external_id or "" for each in requests}),
        "keys": sorted({key for each in requests for key in each.possible_keys}),
        "operations": sorted({each.operation for each in requests}),
    }

    def execute(connection: BaseDatabaseWrapper) -> Callable[[], Rows]:
        values: dict[str, Any] = {"tenant": tenant.pk}
        shape: dict[str, int] = {}
        for name, each in wanted.items():
            values[name], shape[name] = values_for_among(each, connection)
        return query.execute(connection, values, **shape)

    return execute
