"""Rows whose announcement is due, found through partial indexes, and the tenants that have such rows."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import OuterRef, QuerySet, Subquery

from participants.database import Read, instance_from, send
from participants.models import Participant, Tenant
from streaks.models import ParticipantStreak, Streak


@dataclass(frozen=True)
class SweepKind:
    """One kind of announcement, and the column with the instant at which it is due."""

    name: str
    column: str


BREAKS = SweepKind("breaks", "breaks_at")
RISKS = SweepKind("risks", "at_risk_at")


@dataclass(frozen=True)
class RowToReview:
    """A row to review. `at` is the instant at which it became due; None if it is reviewed for another reason."""

    row_id: UUID
    participant_id: UUID
    streak_id: UUID
    at: datetime | None = None


def tenants_with_due_rows(kind: SweepKind, *, now: datetime) -> "QuerySet[Tenant]":
    """The tenants with due rows, including disabled tenants. One index lookup per tenant.

    It is a subquery with one value because PostgreSQL may turn EXISTS into a join that reads every due row.
    """
    due = ParticipantStreak.objects.filter(tenant_id=OuterRef("pk")).due(kind.column, now)
    first = due.order_by(kind.column).values(kind.column)[:1]
    return Tenant.objects.alias(first_due_at=Subquery(first)).filter(first_due_at__isnull=False).order_by("pk")


STATE_KEY_COLUMNS = (
    "state.streak_id", "person.timezone", "person.past_zones", "state.revision", "state.runs", "state.carried",
    "state.anchor", "state.freezes", "state.count", "state.warned_of", "state.at_risk_at", "state.breaks_at",
)  # fmt: skip

_FIND = f"""
    SELECT state.id, state.participant_id, person.external_id, {", ".join(f"CAST({column} AS text)" for column in STATE_KEY_COLUMNS)}
    FROM streaks_participantstreak AS state
    JOIN participants_participant AS person ON person.id = state.participant_id AND person.tenant_id = state.tenant_id
    WHERE state.tenant_id = %s AND state.{{column}} <= %s {{after}}
    ORDER BY state.{{column}}, state.id LIMIT %s
"""  # noqa: S608 - names of our own columns
_AFTER = "AND state.{column} >= %s AND (state.{column} > %s OR state.id > %s)"
_LOCK = "FOR NO KEY UPDATE OF person, state SKIP LOCKED"


StateKey = tuple[str | None, ...]
"""The text of all columns that decide the announcement of one row (STATE_KEY_COLUMNS)."""


class DueRow(NamedTuple):
    """A due row that is locked together with its participant.

    `state_key` is the text of all columns that decide its announcement. Rows with equal keys get the same announcement.
    """

    row_id: UUID
    participant_id: UUID
    external_id: str
    state_key: StateKey


def due_rows_query(tenant: Tenant, kind: SweepKind, *, after: RowToReview | None, limit: int, now: datetime) -> Read:
    """A query that finds up to `limit` due rows, oldest first, and locks them with their participants.

    `after` is the last row of the previous chunk. Rows that another transaction has locked are skipped.

    It is handwritten SQL because the ORM would build two instances per row, which takes longer than everything else.
    """

    def execute(connection: BaseDatabaseWrapper) -> Callable[[], list[DueRow]]:
        fetch = send(connection, *_statement(connection, tenant, kind, after, limit, now))
        return lambda: [_due_row(row) for row in fetch()]

    return execute


def _statement(
    connection: BaseDatabaseWrapper,
    tenant: Tenant,
    kind: SweepKind,
    after: RowToReview | None,
    limit: int,
    now: datetime,
) -> tuple[str, list[Any]]:
    """The SQL and its parameters. SQLite needs no row locks: only one transaction writes at a time."""
    resume = "" if after is None else _AFTER.format(column=kind.column)
    sql = _FIND.format(column=kind.column, after=resume)
    if connection.features.has_select_for_update_skip_locked:
        sql += _LOCK
    values = [_ID.get_db_prep_value(tenant.pk, connection), _AT.get_db_prep_value(now, connection)]
    if after is not None:
        at = _AT.get_db_prep_value(after.at, connection)
        values += [at, at, _ID.get_db_prep_value(after.row_id, connection)]
    return sql, [*values, limit]


_ID = ParticipantStreak._meta.get_field("id")
_AT = ParticipantStreak._meta.get_field("breaks_at")


def _due_row(row: tuple[Any, ...]) -> DueRow:
    row_id, participant_id, external_id, *state_key = row
    return DueRow(_uuid(row_id), _uuid(participant_id), external_id, tuple(state_key))


def _uuid(value: Any) -> UUID:
    """SQLite returns UUIDs as text."""
    return value if isinstance(value, UUID) else UUID(value)


def instances_from_key(state_key: StateKey) -> tuple[Participant, ParticipantStreak]:
    """Unsaved instances built from a state key, the text of all columns that decide an announcement.

    Only the columns that `streak_status` and `pending_announcements` read are set."""
    streak, zone, past_zones, revision, runs, carried, anchor, freezes, count, *instants = state_key
    warned_of, at_risk_at, breaks_at = map(_instant, instants)
    person = {"timezone": zone, "past_zones": _read(past_zones)}
    row = {
        "streak_id": _uuid(streak),
        "revision": int(revision or 0),
        "runs": _read(runs),
        "carried": _read(carried),
        "anchor": _read(anchor),
        "freezes": _read(freezes),
        "count": int(count or 0),
        "warned_of": warned_of,
        "at_risk_at": at_risk_at,
        "breaks_at": breaks_at,
    }
    unread: dict[str, Any] = {"progress": {}, "paid": [], "vouched": {}, "last_activity_at": None}
    return instance_from(Participant, person.items()), instance_from(ParticipantStreak, {**row, **unread}.items())


def _read(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _instant(text: str | None) -> datetime | None:
    """PostgreSQL writes an offset. SQLite writes UTC without one."""
    if text is None:
        return None
    instant = datetime.fromisoformat(text)
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def row_to_review(due: DueRow, kind: SweepKind) -> RowToReview:
    """Convert a row of a chunk to a row that is reviewed alone."""
    at = _instant(due.state_key[STATE_KEY_COLUMNS.index(f"state.{kind.column}")])
    return RowToReview(due.row_id, due.participant_id, _uuid(due.state_key[0]), at)


def rows_after(streak: Streak, cursor: UUID | None, *, limit: int) -> Sequence[RowToReview]:
    """Up to `limit` rows of a streak in the order of participant ids. `cursor` is the last participant of the previous chunk."""
    rows = ParticipantStreak.objects.in_streak(streak.tenant, streak.pk)
    if cursor is not None:
        rows = rows.filter(participant_id__gt=cursor)
    ordered = rows.order_by("participant_id").values_list("pk", "participant_id", "streak_id")
    return [RowToReview(*each) for each in ordered[:limit]]
