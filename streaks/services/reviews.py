"""Reviews: announce what changed in a streak without a tick. It broke, is at risk, or is alive again.

Answers never depend on reviews. Repeated, late and parallel reviews are harmless: each one runs under the participant's
lock and announces only what has not been announced.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from gamify.facts import services as facts
from participants.catalog import catalog_of
from participants.models import Participant, Tenant
from participants.work import Load, UnitOfWork, bisect_failures, load_deferred, restartable, unit_for_ids
from streaks.engine.milestones import due_milestones
from streaks.models import ParticipantStreak, Streak
from streaks.selectors import CompiledStreak, ParticipantStreakStatus, status_of, streaks_in
from streaks.selectors.due import RowToReview, rows_after
from streaks.services.announcements import ANNOUNCED, emit_announcements, emit_restored, pending_announcements
from streaks.services.counting import pay, row_of

CHUNK = 500
TIME_EVENTS = ("streak.broken", "streak.at_risk")
REVIEW_EVENTS = (*TIME_EVENTS, "streak.restored")
REVIEW_FIELDS = ("external_id", "tenant", "timezone", "past_zones")


def review_rows(
    tenant: Tenant,
    chunk: Sequence[RowToReview],
    *,
    now: datetime,
    on_failure: Callable[[RowToReview], object],
    waits: bool = False,
) -> int:
    """Review the rows of `chunk` in one unit of work. If that fails, bisect the chunk.

    `waits`: wait for locked participants instead of skipping them. `on_failure` is called for each row that fails alone.
    Returns the number of reviewed rows.
    """
    return bisect_failures(
        chunk, lambda part: _review_chunk(tenant=tenant, chunk=part, now=now, waits=waits), on_failure=on_failure
    )


@restartable
def _review_chunk(*, tenant: Tenant, chunk: Sequence[RowToReview], now: datetime, waits: bool) -> int:
    loads = [Load(ParticipantStreak, "streak_id", tuple(sorted({each.streak_id for each in chunk})))]
    participant_ids = [each.participant_id for each in chunk]
    has_listeners = any(facts.has_listeners(catalog_of(tenant), event) for event in REVIEW_EVENTS)
    only = () if has_listeners else REVIEW_FIELDS
    with unit_for_ids(tenant, participant_ids, now=now, loads=loads, waits=waits, only=only) as work:
        locked = work.locked_participants
        available = [each for each in chunk if each.participant_id in locked]
        for each in available:
            _review_participant(work, locked[each.participant_id], each.streak_id)
            if has_listeners:
                facts.publish_changes(work, locked[each.participant_id], now=now)
        return len(available)


def _review_participant(work: UnitOfWork, participant: Participant, streak_id: UUID) -> None:
    streak = streaks_in(work.catalog).by_id.get(streak_id)
    if streak is None:
        work.restart_with_new_catalog()
    if (row := row_of(work, participant, streak)) is not None:
        review_row(work, participant, streak, row)


def review_row(work: UnitOfWork, participant: Participant, streak: CompiledStreak, row: ParticipantStreak) -> None:
    """Emit the pending announcements of one row, and store the instants of the next ones."""
    status = status_of(row, streak, participant, now=work.now)
    pending = pending_announcements(row, status.streak_status)
    if pending.is_revived:
        _announce_revival(work, status)
    emit_announcements(work, participant, streak, pending)
    if pending.has_changed:
        for name, value in pending.columns.items():
            setattr(row, name, value)
        work.change(row, *ANNOUNCED)


def _announce_revival(work: UnitOfWork, status: ParticipantStreakStatus) -> None:
    """The run is longer than announced, without a tick: an excuse has joined it with a broken one."""
    if not status.row.count:
        emit_restored(work, status.participant, status.streak, status.streak_status, reason=None)
    grant_due_milestones(work, status)


def grant_due_milestones(work: UnitOfWork, status: ParticipantStreakStatus) -> None:
    """Pay the milestones that the live run has reached without a tick."""
    chain, row = status.streak_status.alive, status.row
    if chain is None or not due_milestones(status.streak.milestones, chain, status.state.paid):
        return
    state, outcomes = pay(work, status.participant, status.streak, status.state, chain)
    row.state, row.revision = state, status.streak.revision
    load_deferred(work, status.participant)
    facts.publish_changes(work, status.participant, outcomes, now=work.now)
    work.change(row)


# --- after a change that concerns all participants of a streak ---------------------------------------------------------


def review_streak(*, streak: Streak, now: datetime) -> Iterator[int]:
    """Generator: review all rows of `streak` after its cursor, and yield the number of reviewed rows after each chunk.

    A review that was killed continues at the cursor. A change of the streak resets the cursor and so restarts the review. A
    review that finds a foreign cursor stops.
    """
    while chunk := rows_after(streak, streak.review_cursor, limit=CHUNK):
        # A row that fails is logged, and sweeps find it at its stored instants.
        reviewed = review_rows(streak.tenant, chunk, now=now, on_failure=lambda failed: None, waits=True)
        is_mine = _move_cursor(streak, due_at=streak.review_due_at, cursor=chunk[-1].participant_id)
        yield reviewed
        if not is_mine:
            return
    _move_cursor(streak, due_at=None, cursor=None)


def _move_cursor(streak: Streak, *, due_at: datetime | None, cursor: UUID | None) -> bool:
    """Move the cursor if it is where this review left it. Of two parallel reviews only one succeeds and continues."""
    mine = Streak.objects.filter(pk=streak.pk, review_due_at=streak.review_due_at, review_cursor=streak.review_cursor)
    is_mine = bool(mine.update(review_due_at=due_at, review_cursor=cursor))
    streak.review_due_at, streak.review_cursor = due_at, cursor
    return is_mine
