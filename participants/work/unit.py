"""One unit of work: lock participants, decide in memory, write everything in one statement per table, commit.

A participant is the unit of everything. Two writes to one participant never interleave; a batch of a hundred costs the
same statements as one; a refusal decided in memory has nothing to undo.
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

import structlog
from django.db import IntegrityError, OperationalError, models

from participants.catalog import Catalog, catalog_of
from participants.events import event_types, unknown_fields
from participants.models import DomainEvent, IdempotencyKey, Participant, Tenant
from participants.work.conflicts import is_passing_conflict
from participants.work.idempotency import KnownKeys, Once, known_keys
from participants.work.reading import reading
from participants.work.transaction import ShortTransaction

P = ParamSpec("P")
R = TypeVar("R")

MAX_ATTEMPTS = 10
NEVER_CHANGED = frozenset({"id", "tenant_id", "created_at", "first_seen_at"})

logger = structlog.get_logger(__name__)


class Restart(Exception):
    """Another transaction made what this one believed missing; begun anew, the unit will find it."""


def restartable(use_case: Callable[P, R]) -> Callable[P, R]:
    """Begin `use_case` anew when its unit of work lost a race. It must do nothing outside the unit."""

    @functools.wraps(use_case)
    def attempts(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(MAX_ATTEMPTS - 1):
            try:
                return use_case(*args, **kwargs)
            except Restart as restart:
                logger.info("unit_restarted", use_case=use_case.__name__, cause=str(restart.__cause__))
        return use_case(*args, **kwargs)

    return attempts


@contextmanager
def unit_of_work(
    tenant: Tenant, external_ids: Iterable[str], *, now: datetime, onces: Sequence[Once | None] = ()
) -> Iterator["UnitOfWork"]:
    """Lock the participants that exist and hand out the unit; leaving the block writes and commits.

    Call it from a function decorated with `restartable`. Raises Restart where a concurrent unit won.
    """
    work = UnitOfWork(tenant, now=now)
    locked = _lockable(tenant, external_ids)
    keys = known_keys(tenant, _existing(tenant, external_ids), [once for once in onces if once])
    try:
        with reading(tenant), ShortTransaction([locked, keys], finish=work.flush) as (participants, key_rows):
            work.begin(participants, KnownKeys(key_rows))
            yield work
    except (IntegrityError, OperationalError) as error:
        if is_passing_conflict(error):
            raise Restart from error
        raise


def _existing(tenant: Tenant, external_ids: Iterable[str]) -> "models.QuerySet[Participant]":
    return Participant.objects.of(tenant).filter(external_id__in=sorted(set(external_ids)))


def _lockable(tenant: Tenant, external_ids: Iterable[str]) -> "models.QuerySet[Participant]":
    """Locks are taken by id, everywhere, so that two batches cannot wait for each other in a circle."""
    return _existing(tenant, external_ids).order_by("id").select_for_update(no_key=True)


class UnitOfWork:
    """What one transaction knows and will write. Services read from it, change its objects and register rows with it."""

    def __init__(self, tenant: Tenant, *, now: datetime) -> None:
        self.tenant = tenant
        self.now = now
        self._participants: dict[str, Participant] = {}
        self._keys = KnownKeys(())
        self._touched: dict[str, Participant] = {}
        self._rows: defaultdict[type[models.Model], list[models.Model]] = defaultdict(list)

    def begin(self, participants: Iterable[Participant], keys: KnownKeys) -> None:
        self._participants = {participant.external_id: participant for participant in participants}
        self._keys = keys

    @property
    def catalog(self) -> Catalog:
        """What this tenant has defined."""
        return catalog_of(self.tenant)

    def find(self, external_id: str) -> Participant | None:
        """The locked participant, or None if there is none in the database."""
        participant = self._participants.get(external_id)
        return None if participant is None or participant.is_new else participant

    def participant(self, external_id: str) -> Participant:
        """The locked participant, or one made in memory. It is written only if it is touched."""
        if external_id not in self._participants:
            self._participants[external_id] = self._make(external_id)
        return self._participants[external_id]

    def _make(self, external_id: str) -> Participant:
        return Participant(
            tenant_id=self.tenant.pk, external_id=external_id, first_seen_at=self.now, last_seen_at=self.now
        )

    def touch(self, participant: Participant) -> None:
        """This participant changes: write the row, and tell of one seen for the first time."""
        if participant.external_id in self._touched:
            return
        self._touched[participant.external_id] = participant
        participant.last_seen_at = max(participant.last_seen_at, self.now)
        if participant.is_new:
            self.emit("participant.created", participant, {})

    def add(self, *rows: models.Model) -> None:
        """Insert `rows` at the end of the unit."""
        for row in rows:
            self._rows[type(row)].append(row)

    def emit(self, type_name: str, participant: Participant, data: Mapping[str, Any]) -> DomainEvent:
        """Tell the outside, in this transaction. Raises LookupError or ValueError for what is not registered."""
        if unknown := unknown_fields(event_types[type_name], data):
            raise ValueError(f"{type_name} does not document {sorted(unknown)}; register the fields or leave them out.")
        event = DomainEvent(
            tenant_id=self.tenant.pk,
            participant_id=participant.pk,
            type=type_name,
            data={"participant_id": participant.external_id, **data},
            occurred_at=self.now,
        )
        self.add(event)
        return event

    def replayed(self, once: Once | None) -> Any | None:
        """The stored answer of an earlier success under the same key, or None. Raises IdempotencyKeyReused."""
        if once is None:
            return None
        row = self._keys.find(once, self._subject(once).pk)
        return row.answer if row else None

    def remember(self, once: Once | None, answer: Any) -> None:
        """Store `answer` (JSON, without the participant's id) for every repeat of `once`."""
        if once is None:
            return
        row = IdempotencyKey(
            tenant_id=self.tenant.pk,
            operation=once.operation,
            subject=self._subject(once).pk,
            key=once.key,
            digest=once.digest,
            answer=answer,
            created_at=self.now,
        )
        self._keys.remember(row)
        self.add(row)

    def _subject(self, once: Once) -> Participant | Tenant:
        return self.tenant if once.external_id is None else self.participant(once.external_id)

    def flush(self) -> None:
        """One statement per table, participants first and the tables by name: no two units can wait in a circle."""
        _write_participants(sorted(self._touched.values(), key=lambda participant: participant.external_id))
        for model in sorted(self._rows, key=lambda model: model._meta.label):
            model._default_manager.bulk_create(self._rows[model])


def _write_participants(participants: list[Participant]) -> None:
    """Insert the new and update the locked in one statement; a new one that another unit made meanwhile conflicts."""
    if not participants:
        return
    names = [field.attname for field in Participant._meta.concrete_fields]
    Participant.objects.bulk_create(
        participants,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[name for name in names if name not in NEVER_CHANGED],
    )
