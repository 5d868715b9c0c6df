"""Fold: work waiting changes into scores, in memory.

The task that stores scores and the readers use the same code. So an answer cannot differ from what will be stored.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from gamify.leaderboards.engine.measures import PERSON
from gamify.leaderboards.engine.periods import ALL_TIME, Kind, Period, local_day, period_on, periods_at
from gamify.leaderboards.engine.ranking.drafts import ScoreDraft, ScoreDrafts, Slot
from gamify.leaderboards.engine.ranking.places import Moves, earliness
from gamify.leaderboards.models import Score, ScoreChange
from gamify.leaderboards.selectors.catalog import Board, Boards, comparison_days
from gamify.leaderboards.selectors.history import Level, current_levels, has_known_moves, levels_since
from gamify.leaderboards.selectors.ranking.refill import is_shown, refill
from participants.engine import start_of_day
from participants.models import Participant, Tenant

MAX_CLOCK_DIFFERENCE = timedelta(minutes=3)
"""How far the clocks of readers may be ahead of the fold's `now`, which was read when its task began.

A period that ends within this time may already be closed for them.
"""

Hit = tuple[ScoreChange, Board, int | None]
"""A score change, a board that it affects, and the amount to add.

The amount is None if the board ranks a current number, such as a balance. The fold then reads that number.
"""


@dataclass
class FoldResult:
    """The drafts after a fold, the participants concerned by id, and the moves by slot (track and period).

    `has_changed_closed_period` is True if the standing of a closed period may have changed, so that cached ranks are stale.
    """

    drafts: ScoreDrafts
    people: Mapping[UUID, Participant]
    moves: Mapping[Slot, Moves] = field(default_factory=dict)
    has_changed_closed_period: bool = False


class Fold:
    """Works `changes` into the scores of `boards`, in the order in which the changes were made."""

    def __init__(self, tenant: Tenant, boards: Boards, changes: Sequence[ScoreChange], *, now: datetime) -> None:
        self.tenant, self.boards = tenant, boards
        # The caller may have read its clock before the last of the changes was made.
        self.now = max([now, *(change.created_at for change in changes)])
        self.changes = sorted(changes, key=lambda change: (change.created_at, change.pk))
        self.people = _people(tenant, {change.participant_id for change in changes})
        self.changed_people = {change.participant_id for change in changes if PERSON in change.changes}
        self.drafts = ScoreDrafts()
        self.has_changed_closed_period = bool(self.changed_people)
        self._levels: dict[UUID, Mapping[UUID, int]] = {}
        self._openings: dict[UUID, Mapping[UUID, Level]] = {}

    def run(self) -> FoldResult:
        """Load what the changes need, apply them, and return the result. Writes nothing."""
        hits = list(self._hits())
        self._load(hits)
        for change, board, amount in hits:
            if amount is None:
                self._set_level(change, board)
            else:
                self._add(change, board, amount)
        self._set_openings()
        for participant_id in self.changed_people:
            self._apply_person_change(participant_id)
        return FoldResult(self.drafts, self.people, self.drafts.moves(), self.has_changed_closed_period)

    def _hits(self) -> Iterable[Hit]:
        """Each change with each board that uses its measure and has the participant as a member."""
        for change in self.changes:
            person = self.people.get(change.participant_id)
            for key, amount in change.changes.items() if person else ():
                for board in self.boards.by_measure.get(key, ()):
                    if board.has_member(person):  # type: ignore[arg-type]  # not None inside this loop
                        yield change, board, amount

    # --- loading ----------------------------------------------------------------------------------------------------

    def _load(self, hits: Sequence[Hit]) -> None:
        tracks = {board.track for _, board, _ in hits}
        periods = {period.code for change, board, _ in hits for period in self._periods(change, board)}
        people = {change.participant_id for change, _, _ in hits} - self.changed_people
        scores = Score.objects.filter(tenant_id=self.tenant.pk)
        self._put(scores.filter(participant_id__in=people, track__in=tracks, period__in=periods) if hits else ())
        for board in self.boards.active.values():
            self.load_track(board.track, self.changed_people)
        for board in {board.id: board for _, board, _ in hits if board.measure.is_level}.values():
            people = {change.participant_id for change, hit, _ in hits if hit.id == board.id}
            known_people = [self.people[participant_id] for participant_id in people]
            self._levels[board.id] = current_levels(self.tenant, known_people, board.measure, now=self.now)
        self._load_openings(hits)

    def _load_openings(self, hits: Sequence[Hit]) -> None:
        """Look up balances at the start of today, for participants with waiting changes of an earlier day.

        `current_levels` returns balances as they are now. They already include the changes of today.
        """
        early: dict[UUID, set[UUID]] = {}
        boards = {board.id: board for _, board, _ in hits if has_known_moves(board.measure)}
        for change, board, _ in hits:
            if board.id in boards and local_day(change.created_at, board.zone) < self._today(board):
                early.setdefault(board.id, set()).add(change.participant_id)
        for board_id, ids in early.items():
            board, people = boards[board_id], [self.people[participant_id] for participant_id in ids]
            since = start_of_day(self._today(board), board.zone)
            self._openings[board_id] = levels_since(self.tenant, people, board.measure, since=since, now=self.now)

    def _today(self, board: Board) -> date:
        """The local day of the fold, or of its newest change if that was made on a later day by a clock that is ahead."""
        return local_day(self.now, board.zone)

    def load_track(self, track: UUID, people: Collection[UUID]) -> None:
        """Load all scores of these participants on a track. Drafts that exist already are not replaced."""
        if people:
            scores = Score.objects.filter(tenant_id=self.tenant.pk, participant_id__in=people, track=track)
            self._put(row for row in scores if self.drafts.find((track, row.period), row.participant_id) is None)

    def _put(self, scores: Iterable[Score]) -> None:
        for row in scores:
            draft = ScoreDraft.from_row(row.participant_id, row.total, row.earliness, row.is_shown)
            self.drafts.put((row.track, row.period), draft)

    def _periods(self, change: ScoreChange, board: Board) -> Sequence[Period]:
        """All periods in which a change may alter a score.

        A board that ranks a current number, such as a balance, has scores of all time only.
        """
        periods = [ALL_TIME] if board.measure.is_level else periods_at(change.at, board.zone)
        return [*periods, *_day_periods(self._days(change, board))]

    # --- applying changes -------------------------------------------------------------------------------------------

    def _add(self, change: ScoreChange, board: Board, amount: int) -> None:
        """Add an amount in all periods that contain its instant. For a late event these periods may be closed."""
        early, participant_id = earliness(change.at), change.participant_id
        counts_on, days = local_day(change.at, board.zone), self._days(change, board)
        for day in days:
            if day <= counts_on:
                self._open_day(board, participant_id, day)
        for period in periods_at(change.at, board.zone):
            self._draft(board, period, participant_id).add(amount, early)
            self._note_closed_period(board, period)
        for day in days:
            if day > counts_on:
                self._raise_opening(board, participant_id, day, amount, early)
            else:
                self._close_day(board, participant_id, day)

    def _days(self, change: ScoreChange, board: Board) -> Sequence[date]:
        """The days whose scores at the start (OPENING) or after a move (MOVED) the change may alter.

        The day of the change is included because a reader's clock may be behind the clock of this fold.
        """
        ahead = max(change.created_at, change.at)
        changed = {local_day(change.created_at, board.zone), local_day(ahead, board.zone)}
        return sorted(changed.union(comparison_days(board.zone, now=self.now)))

    def _raise_opening(self, board: Board, participant_id: UUID, day: date, amount: int, early: int) -> None:
        """Add an amount that counts before `day` to the score at the start of `day`.

        Only a participant who moved on that day has a stored score for its start (OPENING). For the others the score of all time
        counts.
        """
        if self.drafts.find((board.track, period_on(Kind.MOVED, day).code), participant_id) is None:
            return
        self._draft(board, period_on(Kind.OPENING, day), participant_id).add(amount, early)
        self._close_day(board, participant_id, day)

    def _set_openings(self) -> None:
        """For participants whose balance moved today, set the scores at the start of today (OPENING) and now (MOVED).

        `_load_openings` has read the former.
        """
        for board_id, levels in self._openings.items():
            board = next(each for each in self.boards.active.values() if each.id == board_id)
            today = self._today(board)
            for participant_id, level in levels.items():
                if level.at >= start_of_day(today, board.zone):
                    opening = self._draft(board, period_on(Kind.OPENING, today), participant_id)
                    opening.set(max(0, level.score_before or 0), earliness(level.at))
                    self._copy_score(board, participant_id, period_on(Kind.MOVED, today))

    def _set_level(self, change: ScoreChange, board: Board) -> None:
        score = self._levels[board.id].get(change.participant_id, 0)
        draft = self._draft(board, ALL_TIME, change.participant_id)
        if draft.score == score and not has_known_moves(board.measure):
            return  # for example a second tick in a satisfied window; but an entry in the ledger always moves a balance
        day = local_day(change.created_at, board.zone)
        self._open_day(board, change.participant_id, day)
        draft.set(score, earliness(change.at))
        self._close_day(board, change.participant_id, day)

    def _draft(self, board: Board, period: Period, participant_id: UUID) -> ScoreDraft:
        draft = self.drafts.get_or_create((board.track, period.code), participant_id)
        draft.is_removed = False
        draft.is_shown = is_shown(self.people[participant_id])
        return draft

    def _open_day(self, board: Board, participant_id: UUID, day: date) -> None:
        """Store the score at the start of `day`, unless the participant has already moved on that day."""
        if self.drafts.find((board.track, period_on(Kind.MOVED, day).code), participant_id) is not None:
            return
        if self._draft(board, ALL_TIME, participant_id).score > 0:
            self._copy_score(board, participant_id, period_on(Kind.OPENING, day))

    def _close_day(self, board: Board, participant_id: UUID, day: date) -> None:
        """Store the score after a move on `day`."""
        moved = period_on(Kind.MOVED, day)
        self._copy_score(board, participant_id, moved)
        self._note_closed_period(board, moved)

    def _copy_score(self, board: Board, participant_id: UUID, period: Period) -> None:
        """Copy the score of all time into another period."""
        draft = self._draft(board, ALL_TIME, participant_id)
        self._draft(board, period, participant_id).set(draft.score, draft.earliness)

    def _note_closed_period(self, board: Board, period: Period) -> None:
        if period.is_closed(board.zone, now=self.now + MAX_CLOCK_DIFFERENCE):
            self.has_changed_closed_period = True

    # --- changes of participants ------------------------------------------------------------------------------------

    def _apply_person_change(self, participant_id: UUID) -> None:
        """Update membership and visibility of a participant who was changed. Remove the scores of one who was deleted."""
        person = self.people.get(participant_id)
        if person is None:
            for _, draft in self.drafts.of_participants([participant_id]):
                draft.is_removed = True
            return
        for board in self.boards.active.values():
            if board.member_filter is not None:
                self._join_or_leave(board, person)
        for _, draft in self.drafts.of_participants([participant_id]):
            draft.is_shown = is_shown(person)

    def _join_or_leave(self, board: Board, person: Participant) -> None:
        """Remove the scores of the current periods. For a member, compute them again from the history.

        So a new member enters the current periods with the score they already have. Closed periods stay as they were.
        """
        current_codes = {period.code for period in self._current_periods(board)}
        for code in current_codes:
            draft = self.drafts.find((board.track, code), person.pk)
            if draft is not None:
                draft.is_removed = True
        if board.has_member(person):
            refill(self.drafts, self.tenant, board, [person], only=current_codes, now=self.now)

    def _current_periods(self, board: Board) -> Sequence[Period]:
        days = comparison_days(board.zone, now=self.now)
        return [*periods_at(self.now, board.zone), *_day_periods(days)]


def _day_periods(days: Iterable[date]) -> Sequence[Period]:
    return [period_on(kind, day) for day in days for kind in (Kind.OPENING, Kind.MOVED)]


def _people(tenant: Tenant, ids: Collection[UUID]) -> Mapping[UUID, Participant]:
    people = Participant.objects.of(tenant).filter(pk__in=ids)
    return {person.pk: person for person in people} if ids else {}
