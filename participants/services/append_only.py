"""Tables to which the application only adds rows: the ledger, the history of tiers, reported events, the change log, the audit log of
the console, and the records of removals.

PostgreSQL refuses other writes of the application's role (docs/decisions/0030). Erasure, anonymization and retention are functions in
the database, which record what they removed, with the time of the database. On SQLite there are no roles, so this module executes
the same statements and writes the same records, with the clock of the process.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Model
from django.utils import timezone

from participants.database import send
from participants.models import ConfigurationChange, Participant, Removal
from participants.registries import Registry

PARTICIPANT_ID = object()
"""A value of `AppendOnly.anonymized`: the id of the participant's row, as text."""


@dataclass(frozen=True)
class AppendOnly:
    """How rows of `model` may still change.

    - `changeable`: columns that the application may update.
    - `anonymized`, `pruned`: the columns that anonymization and retention set, with their new values.
    - `participant_column`: the column with the id of the participant's row, as UUID or as text. `only`: what else the rows of a
      participant have in common.
    - `is_erasable`: False if erasure anonymizes the rows too.
    - `is_insertable`: False if only functions of the database insert rows.
    """

    model: type[Model]
    changeable: Sequence[str] = ()
    anonymized: Mapping[str, Any] = field(default_factory=dict)
    pruned: Mapping[str, Any] = field(default_factory=dict)
    participant_column: str = "participant_id"
    only: Mapping[str, str] = field(default_factory=dict)
    is_erasable: bool = True
    is_insertable: bool = True

    @property
    def table(self) -> str:
        return self.model._meta.db_table


PERSONAL_EXPORT = "participant_export"
"""The `object_type` of a personal export in the change log."""

CHANGES = AppendOnly(
    ConfigurationChange,
    anonymized={"code": PARTICIPANT_ID},
    participant_column="object_id",
    only={"object_type": PERSONAL_EXPORT},
    is_erasable=False,
)
"""The change log. A personal export names the participant, so erasure replaces that name."""

append_only: Registry[AppendOnly] = Registry("Append-only table")


def register_append_only(table: AppendOnly) -> AppendOnly:
    """Called when the apps are loaded."""
    append_only.register(table.table, table)
    return table


def register_append_only_tables() -> None:
    """Register the tables of this app. Called when the apps are loaded."""
    register_append_only(AppendOnly(Removal, is_insertable=False))
    register_append_only(CHANGES)


def function_name(table: AppendOnly, action: Removal.Action) -> str:
    """Name of the function in PostgreSQL that does `action`."""
    return f"gamify_{action.value}_{table.table}"


def erase(table: AppendOnly) -> Callable[[Participant], None]:
    """Return a function that deletes all rows of a participant, and records how many."""
    return lambda participant: _remove(table, Removal.Action.ERASE, participant, lambda rows: int(rows.delete()[0]))


def anonymize(table: AppendOnly) -> Callable[[Participant], None]:
    """Return a function that clears what could identify a participant in their rows, and records in how many."""
    return lambda participant: _remove(
        table,
        Removal.Action.ANONYMIZE,
        participant,
        lambda rows: int(rows.update(**_values_for(participant, table.anonymized))),
    )


def _values_for(participant: Participant, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(participant.pk) if value is PARTICIPANT_ID else value for name, value in values.items()}


def prune(table: AppendOnly, ids: Sequence[UUID]) -> int:
    """Clear the columns that are stored for a limited time in the rows with these ids, and record in how many. Returns the number."""
    if connection.vendor == "postgresql":
        [[number]] = send(connection, f"SELECT {function_name(table, Removal.Action.PRUNE)}(%s)", [list(ids)])()
        return int(number)
    rows = table.model._default_manager.filter(pk__in=ids)
    for each in rows.order_by().values("tenant_id").annotate(number=Count("pk")):
        _record(table, Removal.Action.PRUNE, tenant_id=each["tenant_id"], participant_id=None, number=each["number"])
    return rows.update(**table.pruned)


def _remove(table: AppendOnly, action: Removal.Action, participant: Participant, remove: Callable[[Any], int]) -> None:
    if connection.vendor == "postgresql":
        sql = f"SELECT {function_name(table, action)}(%s, %s)"
        send(connection, sql, [participant.tenant_id, participant.pk])
        return
    about = {table.participant_column: str(participant.pk), **table.only}
    rows = table.model._default_manager.filter(tenant_id=participant.tenant_id, **about)
    if number := remove(rows):
        _record(table, action, tenant_id=participant.tenant_id, participant_id=participant.pk, number=number)


def _record(
    table: AppendOnly, action: Removal.Action, *, tenant_id: UUID, participant_id: UUID | None, number: int
) -> None:
    Removal.objects.create(
        tenant_id=tenant_id,
        at=timezone.now(),
        table=table.table,
        action=action,
        participant_id=participant_id,
        rows=number,
    )
