"""Answers about boards: pages and ranks. Where nothing waits to be folded, one question does for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gamify.leaderboards.engine.periods import Kind, Period, local_day, period_on
from gamify.leaderboards.engine.ranking.places import Place, best_place_with_score, competition_ranks, percentile
from gamify.leaderboards.selectors.catalog import Board
from gamify.leaderboards.selectors.ranking.fast_page import FastPage, fast_page_around, fast_page_at, fast_page_of
from gamify.leaderboards.selectors.ranking.rank_cache import ClosedPeriod, Ranks, get, put
from gamify.leaderboards.selectors.ranking.snapshots import BoardSnapshot, PeriodView, centered_slice
from gamify.leaderboards.selectors.ranking.stored_board import BoardRow, BoardSlice, StoredBoard
from participants.models import Tenant
from participants.selectors import get_participant
from participants.work import snapshot


@dataclass(frozen=True)
class Entry:
    """`change` is up, down, same or new, against the period before; of all time against the beginning of today."""

    rank: int
    row: BoardRow
    change: str


@dataclass(frozen=True)
class Page:
    entries: Sequence[Entry]
    total: int


@dataclass(frozen=True)
class ParticipantRank:
    """Rank and percentile are None for who is not on the board; their score is 0 then."""

    rank: int | None
    score: int
    total: int
    percentile: float | None


@dataclass(frozen=True)
class PageRequest:
    """So many from `offset`, or those around a participant: who is not on the board has nobody around."""

    limit: int
    offset: int = 0
    around: str | None = None


def page_of(tenant: Tenant, board: Board, period: Period, *, request: PageRequest, now: datetime) -> Page:
    """Raises TooMuchWaiting, ParticipantNotFound."""
    at_once = _page_at_once(tenant, board, period, request, now=now)
    return at_once or _page_of_moment(tenant, board, period, request, now=now)


def _page_at_once(tenant: Tenant, board: Board, period: Period, asked: PageRequest, *, now: datetime) -> Page | None:
    """Where nothing waits, and it is known where they stood before: one question."""
    written = StoredBoard(tenant.pk, board.track, period.code)
    if asked.around is None:
        glance = fast_page_at(written, asked.offset, asked.limit)
    else:
        glance = fast_page_around(written, asked.around, asked.limit)
    if glance.has_waiting_changes:
        return None
    if asked.around is not None and not glance.rows:
        get_participant(tenant, asked.around, now=now)  # known, and not on the board
    shown = _shown(glance, asked)
    standings, ranks = glance.rows[shown], glance.ranks[shown]
    ids = [each.place[2] for each in standings]
    before = (
        get(_over(board, period, now=now), ids, revision=glance.revision) if _has_ended(board, period, now=now) else {}
    )
    return None if len(before) < len(ids) else Page(_entries(standings, ranks, before), glance.total)


def _shown(glance: FastPage, asked: PageRequest) -> slice:
    if asked.around is None:
        return slice(None)
    index = next((i for i, each in enumerate(glance.rows) if each.external_id == asked.around), 0)
    return centered_slice(index, len(glance.rows), asked.limit)


def _page_of_moment(tenant: Tenant, board: Board, period: Period, asked: PageRequest, *, now: datetime) -> Page:
    with snapshot(tenant):
        reading = BoardSnapshot(tenant, board, now=now)
        view = reading.period_view(period)
        window = _window(reading, view, asked)
        total = view.total()
        ranks = _ranks(view, window)
        before = previous_ranks(reading, period, [each.place[2] for each in window.rows])
    return Page(_entries(window.rows, ranks, before), total)


def _entries(standings: Sequence[BoardRow], ranks: Sequence[int], before: Ranks) -> Sequence[Entry]:
    return [
        Entry(rank, standing, _change(rank, before.get(standing.place[2])))
        for rank, standing in zip(ranks, standings, strict=True)
    ]


def _window(reading: BoardSnapshot, view: PeriodView, asked: PageRequest) -> BoardSlice:
    if asked.around is None:
        return view.from_offset(asked.offset, asked.limit)
    place = view.place_of(get_participant(reading.tenant, asked.around, now=reading.now))
    return BoardSlice(0, (), is_at_end=True) if place is None else view.around(place, asked.limit)


def _ranks(view: PeriodView, window: BoardSlice) -> Sequence[int]:
    scores = [each.score for each in window.rows]
    first = view.rank(scores[0]) if scores and window.start else 1
    return competition_ranks(scores, start=window.start, first=first)


def _change(rank: int, before: int | None) -> str:
    if before is None:
        return "new"
    if rank == before:
        return "same"
    return "up" if rank < before else "down"


def participant_rank(
    tenant: Tenant, board: Board, period: Period, participant_id: str, *, now: datetime
) -> ParticipantRank:
    """Where one participant stands. Raises TooMuchWaiting, ParticipantNotFound."""
    glance = fast_page_of(StoredBoard(tenant.pk, board.track, period.code), participant_id)
    if glance.rows and not glance.has_waiting_changes:
        return _ranked(glance.rows[0].place, glance.better_scores + 1, glance.total)
    participant = get_participant(tenant, participant_id, now=now)
    with snapshot(tenant):
        view = BoardSnapshot(tenant, board, now=now).period_view(period)
        place, total = view.place_of(participant), view.total()
        return _ranked(place, view.rank(place[0]) if place else 0, total)


def _ranked(place: Place | None, rank: int, total: int) -> ParticipantRank:
    if place is None:
        return ParticipantRank(None, 0, total, None)
    return ParticipantRank(rank, place[0], total, percentile(rank, total))


# --- where they stood before --------------------------------------------------------------------------------------------


def previous_ranks(reading: BoardSnapshot, period: Period, ids: Sequence[UUID]) -> Ranks:
    """Ranks at the end of the period before, of all time at the beginning of today; of who had none, none."""
    if not ids:
        return {}
    is_new = reading.fold_result is not None and reading.fold_result.has_changed_closed_period
    if is_new or not _has_ended(reading.board, period, now=reading.now):
        return _found_before(reading, period, ids)
    over, revision = _over(reading.board, period, now=reading.now), reading.revision()
    known = get(over, ids, revision=revision)
    if missing := [who for who in ids if who not in known]:
        found = _found_before(reading, period, missing)
        put(over, {who: found.get(who) for who in missing}, revision=revision)
        known = {**known, **found}
    return known


def _has_ended(board: Board, period: Period, *, now: datetime) -> bool:
    """Whether the standings before `period` are over. Those before tomorrow, which an event may be ahead in, are not."""
    return period.kind is Kind.ALL_TIME or period.previous.is_closed(board.zone, now=now)


def _over(board: Board, period: Period, *, now: datetime) -> ClosedPeriod:
    return board.track, period.code, local_day(now, board.zone).toordinal()


def _found_before(reading: BoardSnapshot, period: Period, ids: Sequence[UUID]) -> Ranks:
    if period.kind is Kind.ALL_TIME:
        return _ranks_at_opening(reading, period, ids)
    view = reading.period_view(period.previous)
    places = view.places_of(ids)
    ranks = {score: view.rank(score) for score in {place[0] for place in places.values()}}
    return {who: ranks[place[0]] for who, place in places.items()}


def _ranks_at_opening(reading: BoardSnapshot, period: Period, ids: Sequence[UUID]) -> Ranks:
    """Whoever has moved today stood where they stood then, and all others stand there still."""
    day = local_day(reading.now, reading.board.zone)
    now, opening, moved = (
        reading.period_view(each) for each in (period, period_on(Kind.OPENING, day), period_on(Kind.MOVED, day))
    )
    movers = moved.places_of(ids)
    places = {who: place for who, place in now.places_of(ids).items() if who not in movers}
    places |= opening.places_of(ids)
    scores = {place[0] for place in places.values()}
    ranks = {
        score: now.rank(score)
        - moved.count_above(best_place_with_score(score))
        + opening.count_above(best_place_with_score(score))
        for score in scores
    }
    return {who: ranks[place[0]] for who, place in places.items()}
