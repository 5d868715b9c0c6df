"""One unit of work: lock participants, decide in memory, write everything with one statement per table, commit.

Therefore two writes to one participant never interleave, a batch of a hundred takes as many statements as a single call, and a
refusal that was decided in memory leaves nothing to undo.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache, cached_property
from itertools import count
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar, cast
from uuid import UUID

from django.db import models
from django.db.transaction import get_connection

from participants.actors import Actor, ActorKind, current_actor
from participants.catalog import Catalog, catalog_of
from participants.database import Query, Read, Slot, delete, insert, new_instance, one_round_trip, update, upsert
from participants.measuring import units_of_work
from participants.models import Attributed, DomainEvent, IdempotencyKey, Participant, Tenant
from participants.registries import Registry
from participants.work.idempotency import IdempotencyRequest, KnownKeys
from participants.work.loading import Load, read_by_id
from participants.work.locking import TENANT
from participants.work.outbox import call_after_commit, domain_event
from participants.work.restarting import Restart

M = TypeVar("M", bound=models.Model)

Emitted = tuple[Participant, DomainEvent]
"""A domain event of this unit, with the participant whom it is about."""

before_flush: Registry[Callable[["UnitOfWork"], object]] = Registry("Before-flush function")
"""Functions that are called once with every unit before it is written, except dry runs. They may read `emitted` and add rows.

So a domain sees the events of every use case, including new ones.
"""

closing_steps: Registry[Callable[["UnitOfWork"], object]] = Registry("Closing step")
"""Functions that are called at the end of the block of `unit_of_work` and `unit_for_ids`, before the unit is flushed.

They may read, change rows, emit, and restart the unit. A dry run has no closing steps.
"""

NEVER_CHANGED = frozenset({"id", "tenant_id", "participant_id", "created_at", "first_seen_at"})

_UNREAD = object()
_PERSON_COLUMNS = tuple(
    field.attname for field in Participant._meta.concrete_fields if field.attname not in NEVER_CHANGED
)


class UnitOfWork:
    """What one transaction has read and will write. Services read from it, change its objects and register rows with it.

    Rows and domain events name `actor`: the one that the edge set, or the definition that is giving something just now.
    `cache` holds what a domain has read behind the lock and needs again in this unit, under keys of its own.
    """

    def __init__(
        self,
        tenant: Tenant,
        *,
        now: datetime,
        is_silent: bool = False,
        is_dry_run: bool = False,
        is_history: bool = False,
    ) -> None:
        self.tenant = tenant
        self.now = now
        self.actor = current_actor()
        self.connection = get_connection()
        self.is_silent = is_silent
        self.is_dry_run = is_dry_run
        self.is_history = is_history
        self._participants: dict[str, Participant] = {}
        self._as_read: dict[UUID, Mapping[str, Any]] = {}
        self._keys = KnownKeys(())
        self._touched: dict[str, Participant] = {}
        self._rows: defaultdict[type[models.Model], list[models.Model]] = defaultdict(list)
        self._changed: defaultdict[type[models.Model], dict[Any, models.Model]] = defaultdict(dict)
        self._changed_columns: dict[type[models.Model], set[str] | None] = {}
        self._removed: defaultdict[type[models.Model], list[models.Model]] = defaultdict(list)
        self._index_columns: dict[type[models.Model], str] = {}
        self._loaded: defaultdict[type[models.Model], set[Any]] = defaultdict(set)
        self._index: dict[tuple[type[models.Model], Any, Any], models.Model] = {}
        self._used_keys: set[Hashable] = set()
        self._undrained: list[Emitted] = []
        self._drained: list[Emitted] = []
        self._shared_rows: defaultdict[type[models.Model], dict[UUID, models.Model]] = defaultdict(dict)
        self.cache: dict[Hashable, Any] = {}
        self._numbers = count(1)

    def begin(self, participants: Iterable[Participant], keys: KnownKeys) -> None:
        self._participants = {participant.external_id: participant for participant in participants}
        self._as_read = {each.pk: each.__dict__.copy() for each in self._participants.values()}
        self._keys = keys

    def index(self, loaded: Iterable[tuple[Load, Iterable[models.Model]]]) -> None:
        """Index the rows of each load by participant and column, for `row`."""
        for load, rows in loaded:
            self._index_columns[load.model] = load.column
            self._loaded[load.model].update(load.values)
            for row in rows:
                self._remember_row(row)

    def load(self, loads: Iterable[Load]) -> None:
        """Read further rows of all locked participants behind the lock, in one round trip. Values already loaded are not read again."""
        needed = [replace(load, values=missing) for load in loads if (missing := self._missing(load))]
        if not needed:
            return
        with one_round_trip(self.connection):
            fetches = [read_by_id(load, self.tenant, self.locked_participants)(self.connection) for load in needed]
        self.index((load, fetch()) for load, fetch in zip(needed, fetches, strict=True))

    def _missing(self, load: Load) -> tuple[Any, ...]:
        loaded = self._loaded[load.model]
        return tuple(value for value in load.values if value not in loaded)

    def lock(self, model: type[M], row_id: UUID, *, also: Mapping[Hashable, Read] = MappingProxyType({})) -> M | None:
        """Lock a row of this tenant that participants share, such as a reward. Returns None if there is none.

        The row is locked after the participants, and every call returns the same object. A dry run reads the row without a lock.
        The first call executes the reads `also` behind the lock, in its round trip, and puts their rows into `cache`.
        """
        if row_id not in self._shared_rows[model]:
            values, connection = {"tenant": self.tenant.pk, "row": row_id}, self.connection
            with one_round_trip(connection):
                fetch = _shared_row(model).execute(connection, values, locks=not self.is_dry_run)
                fetches = {key: read(connection) for key, read in also.items()}
            found = next(iter(fetch()), None)
            if found is None:
                return None
            self.cache.update({key: rows() for key, rows in fetches.items()})
            self._shared_rows[model][row_id] = found
        return cast("M", self._shared_rows[model][row_id])

    def assume(self, *rows: models.Model) -> None:
        """Use `rows` wherever `lock` would read them, and read nothing else behind that lock. For dry runs."""
        for row in rows:
            self._shared_rows[type(row)][row.pk] = row

    def locked_rows(self, model: type[M]) -> Sequence[M]:
        """The rows of `model` that this unit has locked with `lock`."""
        return [cast("M", row) for row in self._shared_rows[model].values()]

    def _remember_row(self, row: Any) -> None:
        if column := self._index_columns.get(type(row)):
            self._index[type(row), row.participant_id, getattr(row, column)] = row

    def row(self, model: type[M], participant: Participant, value: Any) -> M | None:
        """Return the participant's row of a loaded model, read from the database or added earlier in this unit, or None.

        `value` is the value of the column that the model was loaded by. Raises LookupError if `value` was not loaded: the row would
        be taken for missing and written twice.
        """
        if value not in self._loaded[model]:
            raise LookupError(f"{model.__name__} {value} was not loaded with this unit; name it in `loads`.")
        return cast("M | None", self._index.get((model, participant.id, value)))

    @cached_property
    def catalog(self) -> Catalog:
        """The tenant's definitions, compiled. A unit that needs newer ones restarts."""
        return catalog_of(self.tenant)

    @property
    def locked_participants(self) -> Mapping[UUID, Participant]:
        """The participants, by id, that were in the database when the unit was opened."""
        return {each.pk: each for each in self._participants.values() if not each.is_new}

    def find(self, external_id: str) -> Participant | None:
        """Return the locked participant, or None if it is not in the database."""
        participant = self._participants.get(external_id)
        return None if participant is None or participant.is_new else participant

    def participant(self, external_id: str) -> Participant:
        """Return the locked participant, or a new one in memory, which is written only if it is touched."""
        if external_id not in self._participants:
            self._participants[external_id] = new_instance(
                Participant,
                tenant_id=self.tenant.pk,
                external_id=external_id,
                first_seen_at=self.now,
                last_seen_at=self.now,
            )
        return self._participants[external_id]

    def touch(self, participant: Participant, *, is_seen: bool = True) -> None:
        """Write the participant's row at the end of the unit. Emits `participant.created` for a new participant.

        `is_seen` moves `last_seen_at` to now. Pass False if the product acts by itself, and not the participant's application. A
        history never moves it; call `note_seen_at` with the time from the data instead.
        """
        if is_seen and not self.is_history:
            participant.last_seen_at = max(participant.last_seen_at, self.now)
        if participant.external_id in self._touched:
            return
        self._touched[participant.external_id] = participant
        if participant.is_new:
            self.emit("participant.created", participant, {})

    def note_seen_at(self, participant: Participant, at: datetime) -> None:
        """Extend `first_seen_at` and `last_seen_at` of a touched participant to `at`. For histories."""
        is_first = participant.is_new and participant.first_seen_at == self.now
        participant.first_seen_at = at if is_first else min(participant.first_seen_at, at)
        participant.last_seen_at = at if is_first else max(participant.last_seen_at, at)

    def add(self, *rows: models.Model) -> None:
        """Insert `rows` at the end of the unit."""
        self._attribute(rows)
        for row in rows:
            self._rows[type(row)].append(row)
            self._remember_row(row)

    def insert_now(self, *rows: models.Model) -> None:
        """Insert `rows` of one model immediately, because the unit will read them from the database. A dry run inserts nothing."""
        self._attribute(rows)
        if not self.is_dry_run:
            insert(self.connection, rows)

    @contextmanager
    def acting_as(self, kind: ActorKind, actor_id: str, label: str) -> Iterator[Actor]:
        """In the block, rows and domain events name this actor. They keep the request id of the one before."""
        before = self.actor
        self.actor = before.in_turn(kind, actor_id, label)
        try:
            yield self.actor
        finally:
            self.actor = before

    def _attribute(self, rows: Iterable[models.Model]) -> None:
        for row in rows:
            if isinstance(row, Attributed):
                row.attribute_to(self.actor)

    def change(self, row: models.Model, *columns: str) -> None:
        """Update a loaded `row` at the end of the unit. Does nothing for a row that will be inserted anyway.

        Pass column names to write only those columns. All changed rows of a model are written by one statement, so it writes the
        columns that were named for any of them, or all columns if one call named none.
        """
        if row._state.adding:
            return
        model = type(row)
        known = self._changed_columns.setdefault(model, set())
        if columns and known is not None:
            known.update(columns)
        else:
            self._changed_columns[model] = None
        self._changed[model][row.pk] = row

    def remove(self, row: models.Model) -> None:
        """Delete a loaded `row` at the end of the unit. `row()` no longer returns it, so a new row may replace it."""
        model, column = type(row), self._index_columns.get(type(row))
        if column:
            self._index.pop((model, cast("Any", row).participant_id, getattr(row, column)), None)
        self._changed[model].pop(row.pk, None)
        self._removed[model].append(row)

    def emit(self, type_name: str, participant: Participant, data: Mapping[str, Any]) -> DomainEvent:
        """Emit a domain event about `participant`, and write it to the outbox unless the unit is silent.

        Raises LookupError for an unregistered type, and ValueError for unregistered fields.
        """
        event = domain_event(self.tenant, type_name, participant, data, actor=self.actor, now=self.now)
        self._undrained.append((participant, event))
        if not self.is_silent:
            self.add(event)
        return event

    def emit_for_tenant(self, type_name: str, data: Mapping[str, Any]) -> DomainEvent:
        """Write a domain event that concerns no participant to the outbox. Definitions do not react to it."""
        event = domain_event(self.tenant, type_name, None, data, actor=self.actor, now=self.now)
        self.add(event)
        return event

    def drain_emitted(self) -> Sequence[Emitted]:
        """Return the events emitted since the last call, in order. A silent unit returns its events too."""
        events, self._undrained = self._undrained, []
        self._drained += events
        return events

    @property
    def emitted(self) -> Sequence[Emitted]:
        """All events emitted in this unit, in order. A silent unit has its events here too."""
        return [*self._drained, *self._undrained]

    def next_number(self) -> int:
        """Return a number that this unit has not returned before."""
        return next(self._numbers)

    def is_first(self, key: Hashable) -> bool:
        """Whether `key` is new in this unit. Remembers it, so that a grant with the same key is given once."""
        is_first = key not in self._used_keys
        self._used_keys.add(key)
        return is_first

    def stored_answer(self, idempotency: IdempotencyRequest | None) -> Any | None:
        """Return the answer that an earlier success stored under the same key, or None. Raises IdempotencyKeyReused."""
        if idempotency is None:
            return None
        row = self._keys.find(idempotency, self._subject(idempotency).id)
        return row.answer if row else None

    def store_answer(self, idempotency: IdempotencyRequest | None, answer: Any) -> None:
        """Store `answer` for repeats of the request. It is JSON and must not contain the participant's id, which may be erased."""
        if idempotency is None:
            return
        row = new_instance(
            IdempotencyKey,
            tenant_id=self.tenant.id,
            operation=idempotency.operation,
            subject=self._subject(idempotency).id,
            key=idempotency.key,
            digest=idempotency.digest,
            answer=answer,
            created_at=self.now,
        )
        self._keys.add(row)
        self.add(row)

    def _subject(self, idempotency: IdempotencyRequest) -> Participant | Tenant:
        return self.tenant if idempotency.external_id is None else self.participant(idempotency.external_id)

    def restart_with_new_catalog(self) -> NoReturn:
        """Read the tenant again and raise Restart. Call it if a row was written under a newer catalog than the one of this unit."""
        self.tenant.refresh_from_db()
        raise Restart

    def flush(self) -> None:
        """Write everything: one statement per table, participants first, then tables by name, so that two units cannot deadlock."""
        if self.is_dry_run:
            return
        for function in before_flush.values():
            function(self)
        self._write_all(self.connection)
        units_of_work.inc()
        if DomainEvent in self._rows:
            call_after_commit(self.tenant, cast("list[DomainEvent]", self._rows[DomainEvent]))

    def _write_all(self, connection: Any) -> None:
        self._write_participants(connection)
        for model in sorted({*self._rows, *self._changed, *self._removed}, key=lambda model: model._meta.label):
            if removed := self._removed[model]:
                delete(connection, removed)
            self._write(connection, self._rows[model], list(self._changed[model].values()))

    def _write_participants(self, connection: Any) -> None:
        """Insert new participants in the order of their external ids, and update the columns that differ from what was read."""
        touched = self._touched.values()
        known = [each for each in touched if not each.is_new]
        if len(known) < len(touched):
            new = sorted((each for each in touched if each.is_new), key=_external_id)
            insert(connection, new)
        if columns := {column for each in known for column in self._changed_person_columns(each)}:
            update(connection, known, sorted(columns))

    def _changed_person_columns(self, participant: Participant) -> Iterable[str]:
        """The columns whose value was replaced. A value of JSON must be replaced too, and not changed in place."""
        now, before = participant.__dict__, self._as_read.get(participant.pk, {})
        return [name for name in _PERSON_COLUMNS if name in now and now[name] != before.get(name, _UNREAD)]

    def _write(self, connection: Any, new: list[models.Model], changed: list[models.Model]) -> None:
        columns = self._changed_columns[type(changed[0])] if changed else None
        if changed and columns is None:
            upsert(connection, [*new, *changed], never_changed=NEVER_CHANGED)
            return
        if changed and columns:
            update(connection, sorted(changed, key=lambda row: row.pk), sorted(columns))
        if new:
            insert(connection, new)


def _external_id(participant: Participant) -> str:
    return participant.external_id


@cache
def _shared_row(model: type[models.Model]) -> Query[Any]:
    def declare(*, locks: bool) -> "models.QuerySet[Any]":
        rows = model._default_manager.filter(pk=Slot("row", model._meta.pk), tenant=TENANT).order_by()
        return rows.select_for_update() if locks else rows

    return Query(declare)


def run_closing_steps(work: UnitOfWork) -> None:
    """Run the closing steps. A dry run skips them, because it writes nothing."""
    if work.is_dry_run:
        return
    for step in closing_steps.values():
        step(work)
