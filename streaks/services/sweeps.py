"""Sweeps: announce breaks and risks, once each (docs/contract.md §10).

At midnight a million streaks may break in one instant. Most rows have the same state as many others, so they share one
decision. Rows have the same *state key* if all columns that decide an announcement are equal. Other rows are reviewed one by
one: a run that is alive again, counts to carry over, and every row while a definition listens to breaks or risks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from gamify.facts import services as facts
from participants.catalog import Catalog
from participants.database import instance_from
from participants.models import Participant, Tenant
from participants.work import UnitOfWork, restartable, unit_for_query
from streaks.models import ParticipantStreak
from streaks.selectors import CompiledStreak, status_of, streaks_in
from streaks.selectors.due import (
    DueRow,
    RowToReview,
    StateKey,
    SweepKind,
    due_rows_query,
    instances_from_key,
    row_to_review,
)
from streaks.services.announcements import ANNOUNCED, PendingAnnouncements, emit_announcements, pending_announcements
from streaks.services.reviews import TIME_EVENTS, review_rows

CHUNK = 1_000
MAX_DECISIONS = 2_000
RETRY_DELAY = timedelta(minutes=5)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SharedDecision:
    """The announcement that all rows with the same state key get."""

    streak: CompiledStreak
    pending: PendingAnnouncements


@dataclass(frozen=True)
class ChunkResult:
    """`announced` is the number of rows with a shared decision. `left` must be reviewed. `last` is None if no row was due."""

    announced: int
    left: Sequence[RowToReview]
    last: RowToReview | None


def sweep(*, tenant: Tenant, kind: SweepKind, now: datetime) -> int:
    """Process all due rows of `tenant`. Returns their number."""
    return sum(sweep_in_chunks(tenant=tenant, kind=kind, now=now))


def sweep_in_chunks(*, tenant: Tenant, kind: SweepKind, now: datetime) -> Iterator[int]:
    """Generator for `sweep`: yields the number of rows after each chunk. A caller may stop early; a later sweep finds the rest."""
    last, decisions = None, SharedDecisions()
    while True:
        chunk = _sweep_chunk(tenant=tenant, kind=kind, after=last, decisions=decisions, now=now)
        last = chunk.last
        if last is None:
            return
        yield chunk.announced + _review_rest(tenant, kind, chunk.left, now=now)


def _review_rest(tenant: Tenant, kind: SweepKind, left: Sequence[RowToReview], *, now: datetime) -> int:
    if not left:
        return 0
    return review_rows(tenant, left, now=now, on_failure=lambda failed: _postpone(tenant, kind, failed, now=now))


def _postpone(tenant: Tenant, kind: SweepKind, failed: RowToReview, *, now: datetime) -> None:
    """Make a failed row due later, so that it is not the first of every sweep."""
    row = ParticipantStreak.objects.filter(tenant_id=tenant.pk, pk=failed.row_id, **{kind.column: failed.at})
    row.update(**{kind.column: now + RETRY_DELAY})


@restartable
def _sweep_chunk(
    *, tenant: Tenant, kind: SweepKind, after: RowToReview | None, decisions: "SharedDecisions", now: datetime
) -> ChunkResult:
    query = due_rows_query(tenant, kind, after=after, limit=CHUNK, now=now)
    with unit_for_query(tenant, query, now=now) as (work, rows):
        left = [
            row for row in rows if not _apply_decision(work, row, decisions.of(work.catalog, row.state_key, now=now))
        ]
        last = row_to_review(rows[-1], kind) if rows else None
        return ChunkResult(len(rows) - len(left), [row_to_review(row, kind) for row in left], last)


class SharedDecisions:
    """The decisions of one sweep per state key. The cache is cleared when definitions change, and when it is full."""

    def __init__(self) -> None:
        self._catalog: Catalog | None = None
        self._decisions: dict[StateKey, SharedDecision | None] = {}
        self._has_listeners = False

    def of(self, catalog: Catalog, state_key: StateKey, *, now: datetime) -> SharedDecision | None:
        """The decision for `state_key`. None if each row must be reviewed, as when a definition listens to breaks or risks."""
        if catalog is not self._catalog or len(self._decisions) >= MAX_DECISIONS:
            self._catalog, self._decisions = catalog, {}
            self._has_listeners = any(facts.has_listeners(catalog, change) for change in TIME_EVENTS)
        if self._has_listeners:
            return None
        if state_key not in self._decisions:
            self._decisions[state_key] = _decision_for(catalog, state_key, now=now)
        return self._decisions[state_key]


def _decision_for(catalog: Catalog, state_key: StateKey, *, now: datetime) -> SharedDecision | None:
    """Decide what to announce for all rows with this state key. None if they must be reviewed one by one."""
    try:
        participant, row = instances_from_key(state_key)
        streak = streaks_in(catalog).by_id.get(row.streak_id)
        if streak is None or streak.revision != row.revision:
            return None
        pending = pending_announcements(row, status_of(row, streak, participant, now=now).streak_status)
    except Exception:
        logger.exception("streak_sweep_undecided", state_key=state_key)
        return None
    return None if pending.is_revived else SharedDecision(streak, pending)


def _apply_decision(work: UnitOfWork, due: DueRow, decision: SharedDecision | None) -> bool:
    """Announce `decision` for one row. False if there is none: then the row must be reviewed."""
    if decision is None:
        return False
    participant = {"id": due.participant_id, "tenant_id": work.tenant.pk, "external_id": due.external_id}
    emit_announcements(
        work, instance_from(Participant, participant.items(), alias="default"), decision.streak, decision.pending
    )
    if decision.pending.has_changed:
        row = {"id": due.row_id, "tenant_id": work.tenant.pk, **decision.pending.columns}
        work.change(instance_from(ParticipantStreak, row.items(), alias="default"), *ANNOUNCED)
    return True
