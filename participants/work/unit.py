"""One unit of work: lock participants, decide in memory, write everything in one statement per table, commit.

A participant is the unit of everything. Two writes to one participant never interleave; a batch of a hundred costs the
same statements as one; a refusal decided in memory has nothing to undo.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NoReturn, TypeVar, cast
from uuid import UUID

from django.db import models
from django.db.transaction import get_connection

from participants.catalog import Catalog, catalog_of
from participants.database import delete, insert, one_round_trip, update, upsert
from participants.models import DomainEvent, IdempotencyKey, Participant, Tenant
from participants.registries import Registry
from participants.work.idempotency import IdempotencyRequest, KnownKeys
from participants.work.loading import Load, read_by_id
from participants.work.outbox import call_after_commit, domain_event
from participants.work.restarting import Restart

M = TypeVar("M", bound=models.Model)

Emitted = tuple[Participant, DomainEvent]
"""Whom a domain event of this unit is about, and the event."""

before_flush: Registry[Callable[["UnitOfWork"], object]] = Registry("Follower")
"""Who looks at all that a unit has told of, once, before it is written, and adds rows of their own: nothing can be forgotten there,
whichever use case it was."""

closing_steps: Registry[Callable[["UnitOfWork"], object]] = Registry("Conclusion")
"""What a domain does at the end of a unit that wrote something, while it can still read, change and emit. It may restart the unit."""

NEVER_CHANGED = frozenset({"id", "tenant_id", "participant_id", "created_at", "first_seen_at"})


class UnitOfWork:
    """What one transaction knows and will write. Services read from it, change its objects and register rows with it.

    `kept` is for what a domain has read behind the lock and will need again in this unit, under keys of its own.
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
        self.is_silent = is_silent
        self.is_dry_run = is_dry_run
        self.is_history = is_history
        self._participants: dict[str, Participant] = {}
        self._keys = KnownKeys(())
        self._touched: dict[str, Participant] = {}
        self._rows: defaultdict[type[models.Model], list[models.Model]] = defaultdict(list)
        self._changed: defaultdict[type[models.Model], dict[Any, models.Model]] = defaultdict(dict)
        self._altered: dict[type[models.Model], set[str] | None] = {}
        self._removed: defaultdict[type[models.Model], list[models.Model]] = defaultdict(list)
        self._columns: dict[type[models.Model], str] = {}
        self._loaded: defaultdict[type[models.Model], set[Any]] = defaultdict(set)
        self._index: dict[tuple[type[models.Model], Any, Any], models.Model] = {}
        self._seen: set[Hashable] = set()
        self._undrained: list[Emitted] = []
        self._drained: list[Emitted] = []
        self._shared: defaultdict[type[models.Model], dict[UUID, models.Model]] = defaultdict(dict)
        self.cache: dict[Hashable, Any] = {}

    def begin(self, participants: Iterable[Participant], keys: KnownKeys) -> None:
        self._participants = {participant.external_id: participant for participant in participants}
        self._keys = keys

    def index(self, loaded: Iterable[tuple[Load, Iterable[models.Model]]]) -> None:
        """Make the rows of each load findable by participant and column."""
        for load, rows in loaded:
            self._columns[load.model] = load.column
            self._loaded[load.model].update(load.values)
            for row in rows:
                self._remember_row(row)

    def load(self, loads: Iterable[Load]) -> None:
        """Read behind the lock what was not foreseen when the unit was opened, in one round trip, for all participants.

        What is loaded already is not asked for again.
        """
        needed = [replace(load, values=missing) for load in loads if (missing := self._missing(load))]
        if not needed:
            return
        connection = get_connection()
        with one_round_trip(connection):
            fetches = [read_by_id(load, self.tenant, self.locked_participants)(connection) for load in needed]
        self.index((load, fetch()) for load, fetch in zip(needed, fetches, strict=True))

    def _missing(self, load: Load) -> tuple[Any, ...]:
        loaded = self._loaded[load.model]
        return tuple(value for value in load.values if value not in loaded)

    def lock(self, model: type[M], row_id: UUID) -> M | None:
        """A row of this tenant's that participants share, such as a reward: locked behind them, and the same object for everyone
        in the unit. A dry run only reads it. None where there is none.
        """
        if row_id not in self._shared[model]:
            rows = model._default_manager.filter(tenant_id=self.tenant.pk, pk=row_id)
            found = (rows if self.is_dry_run else rows.select_for_update()).first()
            if found is None:
                return None
            self._shared[model][row_id] = found
        return cast("M", self._shared[model][row_id])

    def locked_rows(self, model: type[M]) -> Sequence[M]:
        """The rows of `model` that this unit has locked with `lock`."""
        return [cast("M", row) for row in self._shared[model].values()]

    def _remember_row(self, row: Any) -> None:
        if column := self._columns.get(type(row)):
            self._index[type(row), row.participant_id, getattr(row, column)] = row

    def row(self, model: type[M], participant: Participant, value: Any) -> M | None:
        """The participant's row of a loaded model: from the database, or added earlier in this unit.

        Raises LookupError for one that was not loaded: it would be taken for missing, and written twice.
        """
        if value not in self._loaded[model]:
            raise LookupError(f"{model.__name__} {value} was not loaded with this unit; name it in `loads`.")
        return cast("M | None", self._index.get((model, participant.pk, value)))

    @property
    def catalog(self) -> Catalog:
        """What this tenant has defined."""
        return catalog_of(self.tenant)

    @property
    def locked_participants(self) -> Mapping[UUID, Participant]:
        """The participants that were in the database when the unit was opened, by id."""
        return {each.pk: each for each in self._participants.values() if not each.is_new}

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

        `is_seen` is false where the product acts by itself: the participant's application did not. In a history nobody is
        seen; whoever knows when they were says so (`note_seen_at`).
        """
        if is_seen and not self.is_history:
            participant.last_seen_at = max(participant.last_seen_at, self.now)
        if participant.external_id in self._touched:
            return
        self._touched[participant.external_id] = participant
        if participant.is_new:
            self.emit("participant.created", participant, {})

    def note_seen_at(self, participant: Participant, at: datetime) -> None:
        """A participant who is touched was here at `at`, as a history tells."""
        is_first = participant.is_new and participant.first_seen_at == self.now
        participant.first_seen_at = at if is_first else min(participant.first_seen_at, at)
        participant.last_seen_at = at if is_first else max(participant.last_seen_at, at)

    def add(self, *rows: models.Model) -> None:
        """Insert `rows` at the end of the unit."""
        for row in rows:
            self._rows[type(row)].append(row)
            self._remember_row(row)

    def insert_now(self, *rows: models.Model) -> None:
        """Insert `rows` of one model at once: what this unit does next looks for them in the database. A dry run inserts nothing."""
        if not self.is_dry_run:
            insert(get_connection(), rows)

    def change(self, row: models.Model, *columns: str) -> None:
        """Update a loaded `row` at the end of the unit; harmless for one that is to be inserted anyway.

        Who names the columns that were changed spares the others the way. The widest change of any row holds for all.
        """
        if row._state.adding:
            return
        model = type(row)
        known = self._altered.setdefault(model, set())
        self._altered[model] = known | set(columns) if columns and known is not None else None
        self._changed[model][row.pk] = row

    def remove(self, row: models.Model) -> None:
        """Delete a loaded `row` at the end of the unit, which then knows it no more: another may take its place."""
        model, column = type(row), self._columns.get(type(row))
        if column:
            self._index.pop((model, cast("Any", row).participant_id, getattr(row, column)), None)
        self._changed[model].pop(row.pk, None)
        self._removed[model].append(row)

    def emit(self, type_name: str, participant: Participant, data: Mapping[str, Any]) -> DomainEvent:
        """Tell the outside, in this transaction, unless the unit is silent.

        Raises LookupError or ValueError for what is not registered.
        """
        event = domain_event(self.tenant, type_name, participant, data, now=self.now)
        self._undrained.append((participant, event))
        if not self.is_silent:
            self.add(event)
        return event

    def emit_for_tenant(self, type_name: str, data: Mapping[str, Any]) -> DomainEvent:
        """As `emit`, of what concerns no participant, and so no definition hears."""
        event = domain_event(self.tenant, type_name, None, data, now=self.now)
        self.add(event)
        return event

    def drain_emitted(self) -> Sequence[Emitted]:
        """What was emitted since this was asked last, in order, by a silent unit too."""
        told, self._undrained = self._undrained, []
        self._drained += told
        return told

    @property
    def emitted(self) -> Sequence[Emitted]:
        """All that was emitted in this unit, in order, by a silent unit too."""
        return [*self._drained, *self._undrained]

    def is_first(self, key: Hashable) -> bool:
        """Whether this unit is asked for `key` for the first time: what is given under one key is given once."""
        is_first = key not in self._seen
        self._seen.add(key)
        return is_first

    def stored_answer(self, idempotency: IdempotencyRequest | None) -> Any | None:
        """The stored answer of an earlier success under the same key, or None. Raises IdempotencyKeyReused."""
        if idempotency is None:
            return None
        row = self._keys.find(idempotency, self._subject(idempotency).pk)
        return row.answer if row else None

    def store_answer(self, idempotency: IdempotencyRequest | None, answer: Any) -> None:
        """Store `answer` (JSON, without the participant's id) for every repeat of `once`."""
        if idempotency is None:
            return
        row = IdempotencyKey(
            tenant_id=self.tenant.pk,
            operation=idempotency.operation,
            subject=self._subject(idempotency).pk,
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
        """A row was written under definitions newer than the catalog of this unit: read the tenant again and restart."""
        self.tenant.refresh_from_db()
        raise Restart

    def flush(self) -> None:
        """One statement per table, participants first and the tables by name: no two units can wait in a circle."""
        if self.is_dry_run:
            return
        for follower in before_flush.values():
            follower(self)
        self._write_all(get_connection())
        if DomainEvent in self._rows:
            call_after_commit(self.tenant, cast("list[DomainEvent]", self._rows[DomainEvent]))

    def _write_all(self, connection: Any) -> None:
        touched = sorted(self._touched.values(), key=lambda participant: participant.external_id)
        if touched:
            upsert(connection, touched, never_changed=NEVER_CHANGED)
        for model in sorted({*self._rows, *self._changed, *self._removed}, key=lambda model: model._meta.label):
            if removed := self._removed[model]:
                delete(connection, removed)
            self._write(connection, self._rows[model], list(self._changed[model].values()))

    def _write(self, connection: Any, new: list[models.Model], changed: list[models.Model]) -> None:
        columns = self._altered[type(changed[0])] if changed else None
        if changed and columns is None:
            upsert(connection, [*new, *changed], never_changed=NEVER_CHANGED)
            return
        if changed and columns:
            update(connection, sorted(changed, key=lambda row: row.pk), sorted(columns))
        if new:
            insert(connection, new)


def run_closing_steps(work: UnitOfWork) -> None:
    """Run the conclusions. A dry run has none, since it writes nothing."""
    if work.is_dry_run:
        return
    for conclusion in closing_steps.values():
        conclusion(work)
