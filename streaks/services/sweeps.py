"""Sweeps: announce breaks and risks, once each (contract §10).

At midnight a million streaks may break in one instant. Most rows have the same state key as many others, so they share one
decision. Other rows are reviewed one by one: a run that is alive again, counts to carry over, and every row while a
definition listens to breaks or risks.
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
from streaks.selectors.due import DueRow, RowToReview, SweepKind, due_rows_query, instances_from_key, row_to_review
from streaks.services.announcements import ANNOUNCED, PendingAnnouncements, emit_announcements, pending_announcements
from streaks.services.reviews import TIME_EVENTS, review_rows

CHUNK = 1_000
MAX_DECISIONS = 2_000
RETRY_DELAY = timedelta(minutes=5)

StateKey = tuple[str | None, ...]

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SharedDecision:
    """The decision shared by all rows with the same state key."""

    streak: CompiledStreak
    news: PendingAnnouncements


@dataclass(frozen=True)
class ChunkResult:
    """`announced` is the number of rows with a shared decision. `left` must be reviewed. `last` is None if no row was due."""

    told: int
    left: Sequence[RowToReview]
    last: RowToReview | None


def sweep(*, tenant: Tenant, kind: SweepKind, now: datetime) -> int:
    """Process all due rows of `tenant`. Returns their number."""
    return sum(sweep_in_chunks(tenant=tenant, kind=kind, now=now))


def sweep_in_chunks(*, tenant: Tenant, kind: SweepKind, now: datetime) -> Iterator[int]:
    """Generator for `sweep`: yields the number of rows after each chunk. A caller may stop early; a later sweep finds the rest."""
    last, verdicts = None, SharedDecisions()
    while True:
        swept = _sweep_chunk(tenant=tenant, kind=kind, behind=last, verdicts=verdicts, now=now)
        last = swept.last
        if last is None:
            return
        yield swept.told + _review_rest(tenant, kind, swept.left, now=now)


def _review_rest(tenant: Tenant, kind: SweepKind, left: Sequence[RowToReview], *, now: datetime) -> int:
    return (
        review_rows(tenant, left, now=now, on_failure=lambda failed: _postpone(tenant, kind, failed, now=now))
        if left
        else 0
    )


def _postpone(tenant: Tenant, kind: SweepKind, failed: RowToReview, *, now: datetime) -> None:
    """Make a failed row due later, so that it is not the first of every sweep."""
    row = ParticipantStreak.objects.filter(tenant_id=tenant.pk, pk=failed.row_id, **{kind.column: failed.at})
    row.update(**{kind.column: now + RETRY_DELAY})


@restartable
def _sweep_chunk(
    *, tenant: Tenant, kind: SweepKind, behind: RowToReview | None, verdicts: "SharedDecisions", now: datetime
) -> ChunkResult:
    find = due_rows_query(tenant, kind, behind=behind, limit=CHUNK, now=now)
    with unit_for_query(tenant, find, now=now) as (work, found):
        left = [
            each for each in found if not _apply_decision(work, each, verdicts.of(work.catalog, each.says, now=now))
        ]
        last = row_to_review(found[-1], kind) if found else None
        return ChunkResult(len(found) - len(left), [row_to_review(each, kind) for each in left], last)


class SharedDecisions:
    """The decisions of one sweep per state key. The cache is cleared when definitions change, and when it is full."""

    def __init__(self) -> None:
        self._catalog: Catalog | None = None
        self._known: dict[StateKey, SharedDecision | None] = {}
        self._is_heard = False

    def of(self, catalog: Catalog, says: StateKey, *, now: datetime) -> SharedDecision | None:
        """The decision for `state_key`. None if each row must be reviewed, as when a definition listens to breaks or risks."""
        if catalog is not self._catalog or len(self._known) >= MAX_DECISIONS:
            self._catalog, self._known = catalog, {}
            self._is_heard = any(facts.has_listeners(catalog, change) for change in TIME_EVENTS)
        if self._is_heard:
            return None
        if says not in self._known:
            self._known[says] = _decision_for(catalog, says, now=now)
        return self._known[says]


def _decision_for(catalog: Catalog, says: Sequence[str | None], *, now: datetime) -> SharedDecision | None:
    try:
        participant, row = instances_from_key(says)
        streak = streaks_in(catalog).by_id.get(row.streak_id)
        if streak is None or streak.revision != row.revision:
            return None
        news = pending_announcements(row, status_of(row, streak, participant, now=now).streak_status)
    except Exception:
        logger.exception("streak_sweep_doubtful", says=says)
        return None
    return None if news.is_revived else SharedDecision(streak, news)


def _apply_decision(work: UnitOfWork, found: DueRow, verdict: SharedDecision | None) -> bool:
    if verdict is None:
        return False
    person = {"id": found.participant_id, "tenant_id": work.tenant.pk, "external_id": found.external_id}
    emit_announcements(work, instance_from(Participant, person.items(), alias="default"), verdict.streak, verdict.news)
    if verdict.news.has_changed:
        row = {"id": found.row_id, "tenant_id": work.tenant.pk, **verdict.news.columns}
        work.change(instance_from(ParticipantStreak, row.items(), alias="default"), *ANNOUNCED)
    return True
