"""One unit of work: lock participants, decide in memory, write everything in one statement per table, commit.

A participant is the unit of everything. Two writes to one participant never interleave; a batch of a hundred costs the
same statements as one; a refusal decided in memory has nothing to undo.
"""

import functools
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import Any, NoReturn, ParamSpec, TypeVar, cast

import structlog
from django.db import IntegrityError, OperationalError, models
from django.db.transaction import get_connection

from participants.catalog import Catalog, catalog_of
from participants.errors import DomainError
from participants.events import event_types, unknown_fields
from participants.models import DomainEvent, IdempotencyKey, Participant, Tenant
from participants.work.conflicts import is_passing_conflict
from participants.work.idempotency import KnownKeys, Once, known_keys
from participants.work.loading import Load, question_of
from participants.work.queries import Query, Slot, padded
from participants.work.reading import reading
from participants.work.statements import insert, upsert
from participants.work.transaction import Question, ShortTransaction

P = ParamSpec("P")
R = TypeVar("R")
M = TypeVar("M", bound=models.Model)

MAX_ATTEMPTS = 10
PAUSE_SECONDS = 0.005
NEVER_CHANGED = frozenset({"id", "tenant_id", "participant_id", "created_at", "first_seen_at"})

logger = structlog.get_logger(__name__)


class Restart(Exception):
    """Another transaction made what this one believed missing; begun anew, the unit will find it."""


class TooBusy(DomainError):
    """The same race was lost over and over: nothing was written, and the client may try again."""

    code = "service_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__("Too many concurrent writes; try again", headers={"Retry-After": "1"})


def restartable(use_case: Callable[P, R]) -> Callable[P, R]:
    """Begin `use_case` anew when its unit of work lost a race. It must do nothing outside the unit."""

    @functools.wraps(use_case)
    def attempts(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(MAX_ATTEMPTS):
            try:
                return use_case(*args, **kwargs)
            except Restart as restart:
                logger.info("unit_restarted", use_case=use_case.__name__, cause=str(restart.__cause__))
                time.sleep(random.uniform(0, attempt * PAUSE_SECONDS))  # noqa: S311 - so that two do not meet again
        raise TooBusy

    return attempts


@contextmanager
def unit_of_work(
    tenant: Tenant,
    external_ids: Iterable[str],
    *,
    now: datetime,
    onces: Sequence[Once | None] = (),
    loads: Sequence[Load] = (),
) -> Iterator["UnitOfWork"]:
    """Lock the participants that exist, read `loads` of theirs and hand out the unit; leaving it writes and commits.

    Call it from a function decorated with `restartable`. Raises Restart where a concurrent unit won.
    """
    work = UnitOfWork(tenant, now=now)
    external_ids = set(external_ids)
    rows = [question_of(load, tenant, external_ids) for load in loads]
    keys = known_keys(tenant, [once for once in onces if once])
    questions = [_locked(tenant, external_ids), *rows, *keys]
    try:
        with reading(tenant), ShortTransaction(questions, finish=work.flush) as (participants, *answers):
            work.begin(participants, KnownKeys(chain.from_iterable(answers[len(rows) :])))
            work.index(zip(loads, answers, strict=False))
            yield work
    except (IntegrityError, OperationalError) as error:
        if is_passing_conflict(error):
            raise Restart from error
        raise


_TENANT = Participant._meta.get_field("tenant")
_EXTERNAL_ID = Participant._meta.get_field("external_id")


def _declare_locked(*, size: int) -> "models.QuerySet[Participant]":
    """Locks are taken by id, everywhere, so that two batches cannot wait for each other in a circle."""
    external_ids = [Slot("external_ids", _EXTERNAL_ID, index) for index in range(size)]
    existing = Participant.objects.filter(tenant=Slot("tenant", _TENANT), external_id__in=external_ids)
    return existing.order_by("id").select_for_update(no_key=True)


_LOCKED = Query(_declare_locked)


def _locked(tenant: Tenant, external_ids: Iterable[str]) -> Question:
    names = padded(sorted(set(external_ids)))
    values = {"tenant": tenant.pk, "external_ids": names}
    return lambda connection: _LOCKED.ask(connection, values, size=len(names))


class UnitOfWork:
    """What one transaction knows and will write. Services read from it, change its objects and register rows with it."""

    def __init__(self, tenant: Tenant, *, now: datetime) -> None:
        self.tenant = tenant
        self.now = now
        self._participants: dict[str, Participant] = {}
        self._keys = KnownKeys(())
        self._touched: dict[str, Participant] = {}
        self._rows: defaultdict[type[models.Model], list[models.Model]] = defaultdict(list)
        self._changed: defaultdict[type[models.Model], dict[Any, models.Model]] = defaultdict(dict)
        self._columns: dict[type[models.Model], str] = {}
        self._index: dict[tuple[type[models.Model], Any, Any], models.Model] = {}

    def begin(self, participants: Iterable[Participant], keys: KnownKeys) -> None:
        self._participants = {participant.external_id: participant for participant in participants}
        self._keys = keys

    def index(self, loaded: Iterable[tuple[Load, Iterable[models.Model]]]) -> None:
        """Make the rows of each load findable by participant and column."""
        for load, rows in loaded:
            self._columns[load.model] = load.column
            for row in rows:
                self._remember_row(row)

    def _remember_row(self, row: Any) -> None:
        if column := self._columns.get(type(row)):
            self._index[type(row), row.participant_id, getattr(row, column)] = row

    def row(self, model: type[M], participant: Participant, value: Any) -> M | None:
        """The participant's row of a loaded model: from the database, or added earlier in this unit.

        Raises LookupError for a model that was not loaded: its row would be taken for missing, and written twice.
        """
        if model not in self._columns:
            raise LookupError(f"{model.__name__} was not loaded with this unit; name it in `loads`.")
        return cast("M | None", self._index.get((model, participant.pk, value)))

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

    def touch(self, participant: Participant, *, is_seen: bool = True) -> None:
        """This participant changes: write the row, and tell of one seen for the first time.

        `is_seen` is false where the product acts by itself: the participant's application did not.
        """
        if is_seen:
            participant.last_seen_at = max(participant.last_seen_at, self.now)
        if participant.external_id in self._touched:
            return
        self._touched[participant.external_id] = participant
        if participant.is_new:
            self.emit("participant.created", participant, {})

    def add(self, *rows: models.Model) -> None:
        """Insert `rows` at the end of the unit."""
        for row in rows:
            self._rows[type(row)].append(row)
            self._remember_row(row)

    def change(self, row: models.Model) -> None:
        """Update a loaded `row` at the end of the unit; harmless for one that is to be inserted anyway."""
        if not row._state.adding:
            self._changed[type(row)][row.pk] = row

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

    def find_stale(self) -> NoReturn:
        """A row was written under definitions newer than the catalog of this unit: read the tenant again and restart."""
        self.tenant.refresh_from_db()
        raise Restart

    def flush(self) -> None:
        """One statement per table, participants first and the tables by name: no two units can wait in a circle."""
        connection = get_connection()
        touched = sorted(self._touched.values(), key=lambda participant: participant.external_id)
        if touched:
            upsert(connection, touched, never_changed=NEVER_CHANGED)
        for model in sorted({*self._rows, *self._changed}, key=lambda model: model._meta.label):
            self._write(connection, self._rows[model], list(self._changed[model].values()))

    def _write(self, connection: Any, new: list[models.Model], changed: list[models.Model]) -> None:
        if changed:
            upsert(connection, [*new, *changed], never_changed=NEVER_CHANGED)
        else:
            insert(connection, new)
