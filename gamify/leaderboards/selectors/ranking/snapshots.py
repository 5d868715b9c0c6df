"""A board as of one moment: the stored scores plus the waiting changes, which are folded in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gamify.leaderboards.engine.periods import Period
from gamify.leaderboards.engine.ranking.places import (
    BEST_PLACE,
    WORST_PLACE,
    Move,
    Place,
    best_place_with_score,
    net_count,
    net_count_above,
)
from gamify.leaderboards.models import Folding, Score, ScoreChange
from gamify.leaderboards.selectors.catalog import Board, boards_in
from gamify.leaderboards.selectors.ranking.fold import Fold, FoldResult
from gamify.leaderboards.selectors.ranking.stored_board import BoardRow, BoardSlice, StoredBoard
from participants.catalog import catalog_of
from participants.models import Participant, Tenant

MAX_WAITING_CHANGES = 200
"""How many waiting changes an answer folds in memory. A reader that finds more stores a fold first."""


class TooManyWaitingChanges(Exception):
    """The caller must store a fold and read again."""


class BoardSnapshot:
    """One board as of one moment. Must be used inside `participants.work.snapshot`.

    Raises:
        TooManyWaitingChanges: more than MAX_WAITING_CHANGES changes wait for the tenant.
    """

    def __init__(self, tenant: Tenant, board: Board, *, now: datetime) -> None:
        self.tenant, self.board, self.now = tenant, board, now
        self.fold_result = self._fold_waiting_changes()

    def _fold_waiting_changes(self) -> FoldResult | None:
        waiting = list(ScoreChange.objects.filter(tenant_id=self.tenant.pk).order_by("id")[: MAX_WAITING_CHANGES + 1])
        if len(waiting) > MAX_WAITING_CHANGES:
            raise TooManyWaitingChanges
        if not waiting:
            return None
        boards = boards_in(catalog_of(self.tenant)).only_with(self.board)
        return Fold(self.tenant, boards, waiting, now=self.now).run()

    def revision(self) -> int:
        """The revision of closed periods (`Folding.revision`), or 0 if nothing was ever stored."""
        return Folding.objects.filter(tenant=self.tenant).values_list("revision", flat=True).first() or 0

    def period_view(self, period: Period) -> "PeriodView":
        slot = self.board.track, period.code
        stored = StoredBoard(self.tenant.pk, *slot)
        if self.fold_result is None:
            return PeriodView(stored, {}, {})
        return PeriodView(stored, self.fold_result.moves.get(slot, {}), self.fold_result.people)


@dataclass(frozen=True)
class PeriodView:
    """A board in one period: what is stored, and the moves of the waiting changes.

    `people` holds the participants of the moves by id.
    """

    stored: StoredBoard
    moves: Mapping[UUID, Move]
    people: Mapping[UUID, Participant]

    def total(self) -> int:
        return self.stored.total() + net_count(self.moves.values())

    def count_above(self, place: Place) -> int:
        """How many participants are above `place`."""
        return self.stored.count_above(place) + net_count_above(self.moves.values(), place)

    def rank(self, score: int) -> int:
        return self.count_above(best_place_with_score(score)) + 1

    def place_of(self, participant: Participant) -> Place | None:
        """The participant's place, or None if they are not on the board."""
        return self.places_of([participant.pk]).get(participant.pk)

    def places_of(self, ids: Iterable[UUID]) -> Mapping[UUID, Place]:
        """The places of those participants that are on the board."""
        wanted, stored = set(ids), self.stored
        unmoved = [participant_id for participant_id in wanted if participant_id not in self.moves]
        rows = Score.objects.filter(
            tenant_id=stored.tenant_id, participant_id__in=unmoved, track=stored.track, period=stored.period
        )
        places = {row.participant_id: row.place for row in rows} if unmoved else {}
        places |= {
            participant_id: move.after for participant_id, move in self.moves.items() if participant_id in wanted
        }
        return {participant_id: place for participant_id, place in places.items() if place is not None}

    def from_offset(self, offset: int, limit: int) -> BoardSlice:
        """Up to `limit` rows after the first `offset` ones.

        Each move can shift rows by one. So the stored rows are read with a margin of one row per move on both sides.
        """
        moved = len(self.moves)
        if not moved:
            return self.stored.from_offset(offset, limit)
        board_slice = self.stored.from_offset(max(0, offset - moved), limit + 2 * moved)
        return _cut(self._with_moves(board_slice), offset, limit)

    def around(self, place: Place, limit: int) -> BoardSlice:
        """Up to `limit` rows with the participant at `place` in the middle, or nearer to an end where the board ends."""
        board_slice = self._with_moves(self.stored.around(place, limit + len(self.moves)))
        index = next(i for i, row in enumerate(board_slice.rows) if row.place == place)
        chosen = centered_slice(index, len(board_slice.rows), limit)
        return BoardSlice(board_slice.start + chosen.start, board_slice.rows[chosen], board_slice.is_at_end)

    def _with_moves(self, board_slice: BoardSlice) -> BoardSlice:
        """Apply the moves to stored rows. Participants whose new place is beyond the slice are left out."""
        if not self.moves:
            return board_slice
        rows = board_slice.rows
        high = BEST_PLACE if board_slice.start == 0 or not rows else rows[0].place
        low = WORST_PLACE if board_slice.is_at_end or not rows else rows[-1].place
        unmoved = [row for row in rows if row.place[2] not in self.moves]
        moved = [self._row(participant_id, move.after) for participant_id, move in self.moves.items() if move.after]
        merged = [*unmoved, *(row for row in moved if low <= row.place <= high)]
        merged.sort(key=lambda row: row.place, reverse=True)
        start = 0 if high == BEST_PLACE else board_slice.start + net_count_above(self.moves.values(), high)
        return BoardSlice(start, merged, board_slice.is_at_end)

    def _row(self, participant_id: UUID, place: Place) -> BoardRow:
        person = self.people[participant_id]
        return BoardRow(place, person.external_id, person.display_name)


def centered_slice(index: int, number: int, limit: int) -> slice:
    """Which `limit` of `number` rows to show so that the row at `index` is in the middle, or nearer to an end of the rows."""
    start = max(0, index - max(limit // 2, limit - (number - index)))
    return slice(start, start + limit)


def _cut(board_slice: BoardSlice, offset: int, limit: int) -> BoardSlice:
    start = offset - board_slice.start
    rows = board_slice.rows[start : start + limit] if start >= 0 else ()
    return BoardSlice(offset, rows, board_slice.is_at_end)
