"""Idempotency inside a unit of work (contract §3): looked up after the lock and before any rule."""

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
    """Do `operation` at most once under `key`. `digest` names what is asked: the same key with another is refused.

    `external_id` is the participant it concerns, or None where the key belongs to a whole batch. `former_digests` mean the same as
    `digest`, as earlier secrets of the product made them.
    """

    operation: str
    key: str
    digest: str
    external_id: str | None
    former_digests: tuple[str, ...] = ()

    @property
    def possible_keys(self) -> tuple[str, ...]:
        """What `key` may be stored as: a batch's key is hashed some time after (`hash_batch_key`)."""
        hashed = keyed_hashes(self.key, purpose=BATCH_KEYS) if self.external_id is None else ()
        return (self.key, *map(_marked, hashed))


BATCH_KEYS = "batch keys"
BATCH_KEY_MARK = "#"


def hash_batch_key(key: str) -> str:
    """What replaces a batch's key, which outlives participants and whose text may name some. No client's key begins with `#`."""
    return _marked(keyed_hashes(key, purpose=BATCH_KEYS)[0])


def _marked(hashed: str) -> str:
    return BATCH_KEY_MARK + hashed


class KnownKeys:
    """The keys a unit may meet: found in the database after the lock, or used earlier in the same unit."""

    def __init__(self, rows: Iterable[IdempotencyKey]) -> None:
        self._rows = {(row.subject, row.operation, row.key): row for row in rows}

    def find(self, idempotency: IdempotencyRequest, subject: UUID) -> IdempotencyKey | None:
        """The row that answers `once`, or None if it is the first. Raises IdempotencyKeyReused."""
        places = [(subject, idempotency.operation, key) for key in idempotency.possible_keys]
        row = next((self._rows[place] for place in places if place in self._rows), None)
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


def _declare_of_participants(*, people: int, **shape: int) -> "QuerySet[IdempotencyKey]":
    """By subquery, since the participants' ids are not known before the lock."""
    external_ids = [Slot("people", _EXTERNAL_ID, index) for index in range(people)]
    participants = Participant.objects.filter(tenant=Slot("tenant", _TENANT), external_id__in=external_ids)
    return _declare(participants.values("id"), **shape)


def _declare_of_batch(*, people: int, **shape: int) -> "QuerySet[IdempotencyKey]":
    return _declare([Slot("tenant", _TENANT)], **shape)


_OF_PARTICIPANTS = Query(_declare_of_participants)
_OF_BATCH = Query(_declare_of_batch)


def known_keys(tenant: Tenant, idempotency_requests: Iterable[IdempotencyRequest]) -> list[Read]:
    """The rows that may answer `onces`; asked in the same round trip as the lock, behind it."""
    of_batch = [idempotency for idempotency in idempotency_requests if idempotency.external_id is None]
    of_participants = [idempotency for idempotency in idempotency_requests if idempotency.external_id is not None]
    return [
        _read(query, tenant, asked)
        for query, asked in ((_OF_BATCH, of_batch), (_OF_PARTICIPANTS, of_participants))
        if asked
    ]


def _read(query: Query[IdempotencyKey], tenant: Tenant, idempotency_requests: Iterable[IdempotencyRequest]) -> Read:
    values: dict[str, Any] = {
        "people": pad_to_power_of_two(sorted({idempotency.external_id or "" for idempotency in idempotency_requests})),
        "keys": pad_to_power_of_two(
            sorted({key for idempotency in idempotency_requests for key in idempotency.possible_keys})
        ),
        "operations": pad_to_power_of_two(sorted({idempotency.operation for idempotency in idempotency_requests})),
    }
    shape = {name: len(value) for name, value in values.items()}
    return lambda connection: query.execute(connection, {"tenant": tenant.pk, **values}, **shape)
