"""Idempotency in a unit of work (docs/contract.md §3). Stored keys are read behind the lock and checked before any rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from participants.database import Query, Read, Slot, pad_to_power_of_two
from participants.errors import DomainError
from participants.models import IdempotencyKey, Participant, Tenant
from participants.secrets import keyed_hashes


class IdempotencyKeyReused(DomainError):
    code = "IDEMPOTENCY_KEY_REUSED"
    status = 422

    def __init__(self, key: str) -> None:
        super().__init__("Idempotency key was already used for a different request")


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
        candidates = [(subject, idempotency.operation, key) for key in idempotency.possible_keys]
        row = next((self._rows[each] for each in candidates if each in self._rows), None)
        if row is not None and row.digest not in (idempotency.digest, *idempotency.former_digests):
            raise IdempotencyKeyReused(idempotency.key)
        return row

    def add(self, row: IdempotencyKey) -> None:
        self._rows[row.subject, row.operation, row.key] = row


_OPERATION = IdempotencyKey._meta.get_field("operation")
_KEY = IdempotencyKey._meta.get_field("key")
_TENANT = Participant._meta.get_field("tenant")
_EXTERNAL_ID = Participant._meta.get_field("external_id")


def _declare(subjects: Any, *, keys: int, operations: int) -> "QuerySet[IdempotencyKey]":
    return IdempotencyKey.objects.filter(
        tenant=Slot("tenant", _TENANT),
        subject__in=subjects,
        operation__in=[Slot("operations", _OPERATION, index) for index in range(operations)],
        key__in=[Slot("keys", _KEY, index) for index in range(keys)],
    )


def _declare_for_participants(*, external_ids: int, **shape: int) -> "QuerySet[IdempotencyKey]":
    """Declare the query for stored keys of participants. A subquery finds them: their ids are not known before the lock."""
    slots = [Slot("external_ids", _EXTERNAL_ID, index) for index in range(external_ids)]
    participants = Participant.objects.filter(tenant=Slot("tenant", _TENANT), external_id__in=slots)
    return _declare(participants.values("id"), **shape)


def _declare_for_batch(*, external_ids: int, **shape: int) -> "QuerySet[IdempotencyKey]":
    return _declare([Slot("tenant", _TENANT)], **shape)


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
    values: dict[str, Any] = {
        "external_ids": pad_to_power_of_two(sorted({each.external_id or "" for each in requests})),
        "keys": pad_to_power_of_two(sorted({key for each in requests for key in each.possible_keys})),
        "operations": pad_to_power_of_two(sorted({each.operation for each in requests})),
    }
    shape = {name: len(value) for name, value in values.items()}
    return lambda connection: query.execute(connection, {"tenant": tenant.pk, **values}, **shape)
