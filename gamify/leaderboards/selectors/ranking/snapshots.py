"""A board as of one moment: what is written of it, and what is not folded yet added to that in memory."""

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
"""So many changes an answer takes in that are not folded; who finds more folds first."""


class TooManyWaitingChanges(Exception):
    """Fold, then ask again."""


class BoardSnapshot:
    """One board as of one moment. Use inside `snapshot`. Raises TooMuchWaiting."""

    def __init__(self, tenant: Tenant, board: Board, *, now: datetime) -> None:
        self.tenant, self.board, self.now = tenant, board, now
        self.fold_result = self._waiting()

    def _waiting(self) -> FoldResult | None:
        waiting = list(ScoreChange.objects.filter(tenant_id=self.tenant.pk).order_by("id")[: MAX_WAITING_CHANGES + 1])
        if len(waiting) > MAX_WAITING_CHANGES:
            raise TooManyWaitingChanges
        if not waiting:
            return None
        boards = boards_in(catalog_of(self.tenant)).only_with(self.board)
        return Fold(self.tenant, boards, waiting, now=self.now).run()

    def revision(self) -> int:
        """Of the standings that are over."""
        return Folding.objects.filter(tenant=self.tenant).values_list("revision", flat=True).first() or 0

    def period_view(self, period: Period) -> "PeriodView":
        slot = self.board.track, period.code
        written = StoredBoard(self.tenant.pk, *slot)
        if self.fold_result is None:
            return PeriodView(written, {}, {})
        return PeriodView(written, self.fold_result.moves.get(slot, {}), self.fold_result.people)


@dataclass(frozen=True)
class PeriodView:
    """A board in a period: what is written, and who has moved since."""

    stored: StoredBoard
    moves: Mapping[UUID, Move]
    people: Mapping[UUID, Participant]

    def total(self) -> int:
        return self.stored.total() + net_count(self.moves.values())

    def count_above(self, place: Place) -> int:
        return self.stored.count_above(place) + net_count_above(self.moves.values(), place)

    def rank(self, score: int) -> int:
        return self.count_above(best_place_with_score(score)) + 1

    def place_of(self, participant: Participant) -> Place | None:
        return self.places_of([participant.pk]).get(participant.pk)

    def places_of(self, ids: Iterable[UUID]) -> Mapping[UUID, Place]:
        """Where those of them stand who are on the board."""
        wanted, written = set(ids), self.stored
        stored = [who for who in wanted if who not in self.moves]
        rows = Score.objects.filter(
            tenant_id=written.tenant_id, participant_id__in=stored, track=written.track, period=written.period
        )
        found = {row.participant_id: row.place for row in rows} if stored else {}
        found |= {who: move.after for who, move in self.moves.items() if who in wanted}
        return {who: place for who, place in found.items() if place is not None}

    def from_offset(self, offset: int, limit: int) -> BoardSlice:
        moved = len(self.moves)
        if not moved:
            return self.stored.from_offset(offset, limit)
        window = self.stored.from_offset(max(0, offset - moved), limit + 2 * moved)
        merged = self._merged(window)
        return _cut(merged, offset, limit)

    def around(self, place: Place, limit: int) -> BoardSlice:
        """So many with `place`, which is somebody's, in their middle, or nearer to an end where the board ends."""
        window = self._merged(self.stored.around(place, limit + len(self.moves)))
        index = next(i for i, standing in enumerate(window.rows) if standing.place == place)
        shown = centered_slice(index, len(window.rows), limit)
        return BoardSlice(window.start + shown.start, window.rows[shown], window.is_at_end)

    def _merged(self, window: BoardSlice) -> BoardSlice:
        """With those who have moved where they stand now, as far as the window reaches."""
        if not self.moves:
            return window
        high = BEST_PLACE if window.start == 0 or not window.rows else window.rows[0].place
        low = WORST_PLACE if window.is_at_end or not window.rows else window.rows[-1].place
        stayed = [each for each in window.rows if each.place[2] not in self.moves]
        came = [self._standing(who, move.after) for who, move in self.moves.items() if move.after]
        standings = [*stayed, *(each for each in came if low <= each.place <= high)]
        standings.sort(key=lambda each: each.place, reverse=True)
        start = 0 if high == BEST_PLACE else window.start + net_count_above(self.moves.values(), high)
        return BoardSlice(start, standings, window.is_at_end)

    def _standing(self, who: UUID, place: Place) -> BoardRow:
        person = self.people[who]
        return BoardRow(place, person.external_id, person.display_name)


def centered_slice(index: int, number: int, limit: int) -> slice:
    """Which of `number` to show, `limit` of them with the one at `index` in their middle, or nearer to an end where they end."""
    start = max(0, index - max(limit // 2, limit - (number - index)))
    return slice(start, start + limit)


def _cut(window: BoardSlice, offset: int, limit: int) -> BoardSlice:
    start = offset - window.start
    return BoardSlice(offset, window.rows[start : start + limit] if start >= 0 else (), window.is_at_end)
