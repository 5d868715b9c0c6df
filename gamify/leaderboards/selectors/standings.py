"""Answers about boards: pages and ranks, of what is written and what is not folded yet, as of one moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gamify.leaderboards.engine.periods import Kind, Period, day_of, period_on
from gamify.leaderboards.engine.places import BEST, WORST, Move, Place, above_score, net, net_above, percentile
from gamify.leaderboards.models import Folding, Score, ScoreChange
from gamify.leaderboards.selectors.catalog import Board, boards_in
from gamify.leaderboards.selectors.counting import Standing, Window, Written
from gamify.leaderboards.selectors.folding import Fold, Folded
from gamify.leaderboards.selectors.keeping import kept_ranks
from participants.catalog import catalog_of
from participants.models import Participant, Tenant
from participants.work import snapshot

MAX_WAITING = 500
"""So many changes an answer takes in that are not folded; who finds more folds first."""


class TooMuchWaiting(Exception):
    """Fold, then ask again."""


@dataclass(frozen=True)
class Entry:
    """`change` is up, down, same or new, against the period before; of all time against the beginning of today."""

    rank: int
    standing: Standing
    change: str


@dataclass(frozen=True)
class Page:
    entries: Sequence[Entry]
    total: int


@dataclass(frozen=True)
class Ranked:
    """Rank and percentile are None for who is not on the board; their score is 0 then."""

    rank: int | None
    score: int
    total: int
    percentile: float | None


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
        below = len(window.standings) - index
        start = max(0, index - max(limit // 2, limit - below))
        return Window(window.start + start, window.standings[start : start + limit], window.ends)

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

    def _standing(self, who: UUID, place: Place) -> Standing:
        person = self.people[who]
        return Standing(place, person.external_id, person.display_name)


def _cut(window: Window, offset: int, limit: int) -> Window:
    start = offset - window.start
    return Window(offset, window.standings[start : start + limit] if start >= 0 else (), window.ends)


def page_of(
    tenant: Tenant, board: Board, period: Period, *, limit: int, offset: int, around: Participant | None, now: datetime
) -> Page:
    """So many from `offset`, or those around somebody; who is not on the board has nobody around. Raises TooMuchWaiting."""
    with snapshot(tenant):
        reading = Reading(tenant, board, now=now)
        view = reading.view(period)
        window = _window(view, limit=limit, offset=offset, around=around)
        total = view.total()
        ranks = _ranks(view, window)
        before = ranks_before(reading, period, [each.place[2] for each in window.standings])
    entries = [
        Entry(rank, standing, _change(rank, before.get(standing.place[2])))
        for rank, standing in zip(ranks, window.standings, strict=True)
    ]
    return Page(entries, total)


def _window(view: View, *, limit: int, offset: int, around: Participant | None) -> Window:
    if around is None:
        return view.from_offset(offset, limit)
    place = view.place_of(around)
    return Window(0, (), ends=True) if place is None else view.around(place, limit)


def _ranks(view: View, window: Window) -> Sequence[int]:
    """Standard competition ranks: who shares a score shares the rank of the first of them, who may stand before the page."""
    ranks: list[int] = []
    for index, standing in enumerate(window.standings):
        if index and standing.score == window.standings[index - 1].score:
            ranks.append(ranks[-1])
        elif index or window.start == 0:
            ranks.append(window.start + index + 1)
        else:
            ranks.append(view.rank(standing.score))
    return ranks


def _change(rank: int, before: int | None) -> str:
    if before is None:
        return "new"
    if rank == before:
        return "same"
    return "up" if rank < before else "down"


def ranked(tenant: Tenant, board: Board, period: Period, participant: Participant, *, now: datetime) -> Ranked:
    """Where one participant stands. Raises TooMuchWaiting."""
    with snapshot(tenant):
        view = Reading(tenant, board, now=now).view(period)
        place, total = view.place_of(participant), view.total()
        if place is None:
            return Ranked(None, 0, total, None)
        rank = view.rank(place[0])
    return Ranked(rank, place[0], total, percentile(rank, total))


# --- where they stood before --------------------------------------------------------------------------------------------


def ranks_before(reading: Reading, period: Period, ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """Ranks at the end of the period before, of all time at the beginning of today; of who had none, none."""
    if not ids:
        return {}
    if reading.folded is not None and reading.folded.rewrites_past:
        return _found_before(reading, period, ids)
    day = day_of(reading.now, reading.board.zone).toordinal()
    return kept_ranks(
        (reading.board.track, period.code, day),
        ids,
        revision=reading.revision(),
        find=lambda missing: _found_before(reading, period, missing),
    )


def _found_before(reading: Reading, period: Period, ids: Sequence[UUID]) -> Mapping[UUID, int]:
    if period.kind is Kind.ALL_TIME:
        return _ranks_at_opening(reading, period, ids)
    view = reading.view(period.previous)
    places = view.places_of(ids)
    ranks = {score: view.rank(score) for score in {place[0] for place in places.values()}}
    return {who: ranks[place[0]] for who, place in places.items()}


def _ranks_at_opening(reading: Reading, period: Period, ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """Whoever has moved today stood where they stood then, and all others stand there still."""
    day = day_of(reading.now, reading.board.zone)
    now, opening, moved = (
        reading.view(each) for each in (period, period_on(Kind.OPENING, day), period_on(Kind.MOVED, day))
    )
    movers = moved.places_of(ids)
    places = {who: place for who, place in now.places_of(ids).items() if who not in movers}
    places |= opening.places_of(ids)
    scores = {place[0] for place in places.values()}
    ranks = {
        score: now.rank(score) - moved.above(above_score(score)) + opening.above(above_score(score)) for score in scores
    }
    return {who: ranks[place[0]] for who, place in places.items()}
