"""A board as of one moment: what is written of it, and what is not folded yet added to that in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gamify.leaderboards.engine.periods import Period
from gamify.leaderboards.engine.places import (
    BEST,
    WORST,
    Move,
    Place,
    above_score,
    net,
    net_above,
)
from gamify.leaderboards.models import Folding, Score, ScoreChange
from gamify.leaderboards.selectors.catalog import Board, boards_in
from gamify.leaderboards.selectors.counting import BoardRow, Window, Written
from gamify.leaderboards.selectors.folding import Fold, Folded
from participants.catalog import catalog_of
from participants.models import Participant, Tenant

MAX_WAITING = 200
"""So many changes an answer takes in that are not folded; who finds more folds first."""


class TooMuchWaiting(Exception):
    """Fold, then ask again."""


class Reading:
    """One board as of one moment. Use inside `snapshot`. Raises TooMuchWaiting."""

    def __init__(self, tenant: Tenant, board: Board, *, now: datetime) -> None:
        self.tenant, self.board, self.now = tenant, board, now
        self.folded = self._waiting()

    def _waiting(self) -> Folded | None:
        waiting = list(ScoreChange.objects.filter(tenant_id=self.tenant.pk).order_by("id")[: MAX_WAITING + 1])
        if len(waiting) > MAX_WAITING:
            raise TooMuchWaiting
        if not waiting:
            return None
        boards = boards_in(catalog_of(self.tenant)).alone(self.board)
        return Fold(self.tenant, boards, waiting, now=self.now).run()

    def revision(self) -> int:
        """Of the standings that are over."""
        return Folding.objects.filter(tenant=self.tenant).values_list("revision", flat=True).first() or 0

    def view(self, period: Period) -> "View":
        slot = self.board.track, period.code
        written = Written(self.tenant.pk, *slot)
        if self.folded is None:
            return View(written, {}, {})
        return View(written, self.folded.moves.get(slot, {}), self.folded.people)


@dataclass(frozen=True)
class View:
    """A board in a period: what is written, and who has moved since."""

    written: Written
    moves: Mapping[UUID, Move]
    people: Mapping[UUID, Participant]

    def total(self) -> int:
        return self.written.total() + net(self.moves.values())

    def above(self, place: Place) -> int:
        return self.written.above(place) + net_above(self.moves.values(), place)

    def rank(self, score: int) -> int:
        return self.above(above_score(score)) + 1

    def place_of(self, participant: Participant) -> Place | None:
        return self.places_of([participant.pk]).get(participant.pk)

    def places_of(self, ids: Iterable[UUID]) -> Mapping[UUID, Place]:
        """Where those of them stand who are on the board."""
        wanted, written = set(ids), self.written
        stored = [who for who in wanted if who not in self.moves]
        rows = Score.objects.filter(
            tenant_id=written.tenant_id, participant_id__in=stored, track=written.track, period=written.period
        )
        found = {row.participant_id: row.place for row in rows} if stored else {}
        found |= {who: move.after for who, move in self.moves.items() if who in wanted}
        return {who: place for who, place in found.items() if place is not None}

    def from_offset(self, offset: int, limit: int) -> Window:
        moved = len(self.moves)
        if not moved:
            return self.written.from_offset(offset, limit)
        window = self.written.from_offset(max(0, offset - moved), limit + 2 * moved)
        merged = self._merged(window)
        return _cut(merged, offset, limit)

    def around(self, place: Place, limit: int) -> Window:
        """So many with `place`, which is somebody's, in their middle, or nearer to an end where the board ends."""
        window = self._merged(self.written.around(place, limit + len(self.moves)))
        index = next(i for i, standing in enumerate(window.standings) if standing.place == place)
        shown = centred(index, len(window.standings), limit)
        return Window(window.start + shown.start, window.standings[shown], window.ends)

    def _merged(self, window: Window) -> Window:
        """With those who have moved where they stand now, as far as the window reaches."""
        if not self.moves:
            return window
        high = BEST if window.start == 0 or not window.standings else window.standings[0].place
        low = WORST if window.ends or not window.standings else window.standings[-1].place
        stayed = [each for each in window.standings if each.place[2] not in self.moves]
        came = [self._standing(who, move.after) for who, move in self.moves.items() if move.after]
        standings = [*stayed, *(each for each in came if low <= each.place <= high)]
        standings.sort(key=lambda each: each.place, reverse=True)
        start = 0 if high == BEST else window.start + net_above(self.moves.values(), high)
        return Window(start, standings, window.ends)

    def _standing(self, who: UUID, place: Place) -> BoardRow:
        person = self.people[who]
        return BoardRow(place, person.external_id, person.display_name)


def centred(index: int, number: int, limit: int) -> slice:
    """Which of `number` to show, `limit` of them with the one at `index` in their middle, or nearer to an end where they end."""
    start = max(0, index - max(limit // 2, limit - (number - index)))
    return slice(start, start + limit)


def _cut(window: Window, offset: int, limit: int) -> Window:
    start = offset - window.start
    return Window(offset, window.standings[start : start + limit] if start >= 0 else (), window.ends)
