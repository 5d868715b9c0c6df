"""What is due to be told: rows whose instant has come, found by partial index, and the tenants that have such rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from participants.models import Tenant
from streaks.models import ParticipantStreak, Streak


@dataclass(frozen=True)
class Sweep:
    """One kind of announcement: the column that says when it is due."""

    name: str
    column: str


BREAKS = Sweep("breaks", "breaks_at")
RISKS = Sweep("risks", "at_risk_at")


@dataclass(frozen=True)
class Due:
    """A row to look at: `at` is the instant at which it became due, None where it is looked at for another reason."""

    row_id: UUID
    participant_id: UUID
    streak_id: UUID
    at: datetime | None = None


def tenants_with_due(kind: Sweep, *, now: datetime) -> "QuerySet[Tenant]":
    """The tenants that have something to tell, disabled ones too: one look into the index for each.

    A subquery of one value, since PostgreSQL may turn EXISTS into a join that reads every row that is due.
    """
    due = ParticipantStreak.objects.filter(tenant_id=OuterRef("pk")).due(kind.column, now)
    first = due.order_by(kind.column).values(kind.column)[:1]
    return Tenant.objects.alias(first_due_at=Subquery(first)).filter(first_due_at__isnull=False).order_by("pk")


def due_rows(tenant: Tenant, kind: Sweep, *, behind: Due | None, limit: int, now: datetime) -> Sequence[Due]:
    """The first rows that are due, oldest first, behind one that was looked at: what another sweep holds is left to it.

    Two questions, each of which is a range of the index: at midnight a million rows are due at one instant.
    """
    rows = ParticipantStreak.objects.filter(tenant_id=tenant.pk).due(kind.column, now).order_by(kind.column, "pk")
    if behind is None:
        return _first(rows, kind, limit)
    found = _first(rows.filter(**{kind.column: behind.at, "pk__gt": behind.row_id}), kind, limit)
    if len(found) < limit:
        found += _first(rows.filter(**{f"{kind.column}__gt": behind.at}), kind, limit - len(found))
    return found


def _first(rows: "QuerySet[ParticipantStreak]", kind: Sweep, limit: int) -> list[Due]:
    return [Due(*each) for each in rows.values_list("pk", "participant_id", "streak_id", kind.column)[:limit]]


def rows_behind(streak: Streak, cursor: UUID | None, *, limit: int) -> Sequence[Due]:
    """The rows of a streak's participants behind `cursor`, by their ids."""
    rows = ParticipantStreak.objects.in_streak(streak.tenant, streak.pk)
    if cursor is not None:
        rows = rows.filter(participant_id__gt=cursor)
    found = rows.order_by("participant_id").values_list("pk", "participant_id", "streak_id")
    return [Due(*each) for each in found[:limit]]
