"""What has become of a streak without a tick, told to those who listen: it broke, is about to break, or lives again.

Answers never depend on any of this. Twice, late or in parallel does no harm: every look is taken behind the participant's
lock, and tells what has not been told.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from gamify.facts import services as facts
from participants.catalog import catalog_of
from participants.models import Participant, Tenant
from participants.work import Load, UnitOfWork, bisect_failures, load_deferred, restartable, unit_for_ids
from streaks.engine.milestones import due
from streaks.models import ParticipantStreak, Streak
from streaks.selectors import CompiledStreak, ParticipantStreakStatus, status_of, streaks_in
from streaks.selectors.due import Due, rows_behind
from streaks.services.counting import pay, row_of
from streaks.services.telling import ANNOUNCED, pending_announcements, tell, told_restored

CHUNK = 500
BY_TIME = ("streak.broken", "streak.at_risk")
CHANGES = (*BY_TIME, "streak.restored")
LOOKED_AT = ("external_id", "tenant", "timezone", "past_zones")


def look_at(
    tenant: Tenant, chunk: Sequence[Due], *, now: datetime, on_failure: Callable[[Due], object], waits: bool = False
) -> int:
    """Review them together, or where that fails by halves."""
    return bisect_failures(
        chunk, lambda part: _review(tenant=tenant, chunk=part, now=now, waits=waits), on_failure=on_failure
    )


@restartable
def _review(*, tenant: Tenant, chunk: Sequence[Due], now: datetime, waits: bool) -> int:
    loads = [Load(ParticipantStreak, "streak_id", tuple(sorted({each.streak_id for each in chunk})))]
    people = [each.participant_id for each in chunk]
    is_heard = any(facts.is_heard(catalog_of(tenant), change) for change in CHANGES)
    only = () if is_heard else LOOKED_AT
    with unit_for_ids(tenant, people, now=now, loads=loads, waits=waits, only=only) as work:
        locked = work.locked
        free = [each for each in chunk if each.participant_id in locked]
        for each in free:
            _review_one(work, locked[each.participant_id], each.streak_id)
            if is_heard:
                facts.publish_changes(work, locked[each.participant_id], now=now)
        return len(free)


def _review_one(work: UnitOfWork, participant: Participant, streak_id: UUID) -> None:
    streak = streaks_in(work.catalog).by_id.get(streak_id)
    if streak is None:
        work.restart_with_new_catalog()
    if (row := row_of(work, participant, streak)) is not None:
        review(work, participant, streak, row)


def review(work: UnitOfWork, participant: Participant, streak: CompiledStreak, row: ParticipantStreak) -> None:
    """Tell what has become of the streak since it was told of last, and note when there is something to tell next."""
    status = status_of(row, streak, participant, now=work.now)
    news = pending_announcements(row, status.standing)
    if news.is_revived:
        _revive(work, status)
    tell(work, participant, streak, news)
    if news.has_changed:
        for name, value in news.columns.items():
            setattr(row, name, value)
        work.change(row, *ANNOUNCED)


def _revive(work: UnitOfWork, status: ParticipantStreakStatus) -> None:
    """A run is longer than it was told to be, without a tick: an excuse has joined what was broken."""
    if not status.row.count:
        told_restored(work, status.participant, status.streak, status.standing, reason=None)
    settle_milestones(work, status)


def settle_milestones(work: UnitOfWork, status: ParticipantStreakStatus) -> None:
    """Pay what the live run has reached, where it grew without a tick."""
    chain, row = status.standing.alive, status.row
    if chain is None or not due(status.streak.milestones, chain, status.state.paid):
        return
    state, outcomes = pay(work, status.participant, status.streak, status.state, chain)
    row.state, row.revision = state, status.streak.revision
    load_deferred(work, status.participant)
    facts.publish_changes(work, status.participant, outcomes, now=work.now)
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
        looked_at, last = look_at(streak.tenant, chunk, now=now, on_failure=_leave, waits=True), chunk[-1]
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
