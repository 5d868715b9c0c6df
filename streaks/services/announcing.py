"""What time alone brings about: streaks that broke, and streaks about to break, are told once each (contract §10).

Answers never depend on any of this; it is for those who are told. Twice, late or in parallel does no harm: every look is
taken behind the participant's lock, and tells what has not been told.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from gamify.facts import services as facts
from participants.models import Participant, Tenant
from participants.work import Load, UnitOfWork, restartable, unit_over
from streaks.engine.milestones import due
from streaks.models import ParticipantStreak, Streak
from streaks.selectors import CompiledStreak, StreakStatus, status_of, streaks_in
from streaks.selectors.due import Due, Sweep, due_rows, rows_behind
from streaks.services.counting import pay, row_of
from streaks.services.telling import TOLD, told_at_risk, told_broken, told_of, told_restored, told_so_far

CHUNK = 500
PUSHED_AHEAD = timedelta(minutes=5)
LOOKED_AT = ("external_id", "tenant", "timezone", "past_zones")

logger = structlog.get_logger(__name__)


def sweep(*, tenant: Tenant, kind: Sweep, now: datetime) -> int:
    """Look at every row of `tenant` that is due; answers how many were looked at."""
    return sum(sweeping(tenant=tenant, kind=kind, now=now))


def sweeping(*, tenant: Tenant, kind: Sweep, now: datetime) -> Iterator[int]:
    """As `sweep`, a chunk each time it is asked: who runs out of time stops asking, and a later sweep finds the rest."""
    looked_at, last = _sweep_chunk(tenant, kind, None, now=now)
    while last is not None:
        yield looked_at
        looked_at, last = _sweep_chunk(tenant, kind, last, now=now)


def _sweep_chunk(tenant: Tenant, kind: Sweep, behind: Due | None, *, now: datetime) -> tuple[int, Due | None]:
    """How many were looked at, and the last of the chunk, None where nothing was due."""
    chunk = due_rows(tenant, kind, behind=behind, limit=CHUNK, now=now)
    if not chunk:
        return 0, None
    return _look_at(tenant, chunk, now=now, on_failure=lambda failed: _push_ahead(kind, failed, now=now)), chunk[-1]


def _push_ahead(kind: Sweep, failed: Due, *, now: datetime) -> None:
    """A row that fails must not be the first of every sweep."""
    row = ParticipantStreak.objects.filter(pk=failed.row_id, **{kind.column: failed.at})
    row.update(**{kind.column: now + PUSHED_AHEAD})


def _look_at(
    tenant: Tenant, chunk: Sequence[Due], *, now: datetime, on_failure: Callable[[Due], object], waits: bool = False
) -> int:
    """Together, or where that fails by halves: one row that cannot be read stops nobody."""
    try:
        return _review(tenant=tenant, chunk=chunk, now=now, waits=waits)
    except Exception:
        if len(chunk) == 1:
            logger.exception("streak_review_failed", row=str(chunk[0].row_id))
            on_failure(chunk[0])
            return 0
    middle = len(chunk) // 2
    halves = (chunk[:middle], chunk[middle:])
    return sum(_look_at(tenant, half, now=now, on_failure=on_failure, waits=waits) for half in halves)


@restartable
def _review(*, tenant: Tenant, chunk: Sequence[Due], now: datetime, waits: bool) -> int:
    loads = [Load(ParticipantStreak, "streak_id", tuple(sorted({each.streak_id for each in chunk})))]
    people = [each.participant_id for each in chunk]
    with unit_over(tenant, people, now=now, loads=loads, waits=waits, only=LOOKED_AT) as work:
        locked = work.locked
        free = [each for each in chunk if each.participant_id in locked]
        for each in free:
            _review_one(work, locked[each.participant_id], each.streak_id)
        return len(free)


def _review_one(work: UnitOfWork, participant: Participant, streak_id: UUID) -> None:
    streak = streaks_in(work.catalog).by_id.get(streak_id)
    if streak is None:
        work.find_stale()
    if (row := row_of(work, participant, streak)) is not None:
        review(work, participant, streak, row)


def review(work: UnitOfWork, participant: Participant, streak: CompiledStreak, row: ParticipantStreak) -> None:
    """Tell what has become of the streak since it was told of last, and note when there is something to tell next."""
    noted = told_so_far(row)
    status = status_of(row, streak, participant, now=work.now)
    told = status.standing
    if row.count and not told.current:
        told_broken(work, participant, streak, row)
    if told.current > row.count:
        _revive(work, status)
    if told.is_at_risk and told.breaks_at != row.warned_of:
        told_at_risk(work, participant, streak, row, told)
    told_of(row, told)
    if told_so_far(row) != noted:
        work.change(row, *TOLD)


def _revive(work: UnitOfWork, status: StreakStatus) -> None:
    """A run is longer than it was told to be, without a tick: an excuse has joined what was broken."""
    if not status.row.count:
        told_restored(work, status.participant, status.streak, status.standing, reason=None)
    settle_milestones(work, status)


def settle_milestones(work: UnitOfWork, status: StreakStatus) -> None:
    """Pay what the live run has reached, where it grew without a tick."""
    chain, row = status.standing.alive, status.row
    if chain is None or not due(status.streak.milestones, chain, status.state.paid):
        return
    state, outcomes = pay(work, status.participant, status.streak, status.state, chain)
    row.state, row.revision = state, status.streak.revision
    work.complete(status.participant)
    facts.settle(work, status.participant, outcomes, now=work.now)
    work.change(row)


# --- after a change that concerns all participants of a streak ---------------------------------------------------------


def review_streak(*, streak: Streak, now: datetime) -> int:
    """Look at everyone in `streak` behind its cursor; answers how many. A killed review goes on where it was.

    A change meanwhile starts the review anew: whoever then moves the cursor finds that it is not theirs, and stops.
    """
    return sum(reviewing(streak=streak, now=now))


def reviewing(*, streak: Streak, now: datetime) -> Iterator[int]:
    """As `review_streak`, a chunk each time it is asked."""
    while chunk := rows_behind(streak, streak.review_cursor, limit=CHUNK):
        looked_at, last = _look_at(streak.tenant, chunk, now=now, on_failure=_leave, waits=True), chunk[-1]
        is_mine = _moved(streak, due_at=streak.review_due_at, cursor=last.participant_id)
        yield looked_at
        if not is_mine:
            return
    _moved(streak, due_at=None, cursor=None)


def _leave(failed: Due) -> None:
    """The log has it; the sweeps find the row at the instants that it had."""


def _moved(streak: Streak, *, due_at: datetime | None, cursor: UUID | None) -> bool:
    """Whether the cursor still was where this review had left it: of two that run at once, one goes on."""
    mine = Streak.objects.filter(pk=streak.pk, review_due_at=streak.review_due_at, review_cursor=streak.review_cursor)
    is_mine = bool(mine.update(review_due_at=due_at, review_cursor=cursor))
    streak.review_due_at, streak.review_cursor = due_at, cursor
    return is_mine
