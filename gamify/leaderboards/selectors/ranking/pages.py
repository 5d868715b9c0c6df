"""Pages and ranks of boards.

There are two ways to an answer. If no score change waits to be folded, one statement returns it (`fast_page`). Otherwise the
waiting changes are folded in memory and added to the stored scores (`snapshots`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gamify.leaderboards.engine.periods import Kind, Period, local_day, period_on
from gamify.leaderboards.engine.ranking.places import Place, best_place_with_score, competition_ranks, percentile
from gamify.leaderboards.selectors.catalog import Board
from gamify.leaderboards.selectors.ranking import rank_cache
from gamify.leaderboards.selectors.ranking.fast_page import FastPage, fast_page_around, fast_page_at, fast_page_of
from gamify.leaderboards.selectors.ranking.rank_cache import ClosedPeriod, Ranks
from gamify.leaderboards.selectors.ranking.snapshots import BoardSnapshot, PeriodView, centered_slice
from gamify.leaderboards.selectors.ranking.stored_board import BoardRow, BoardSlice, StoredBoard
from participants.models import Tenant
from participants.selectors import get_participant
from participants.work import snapshot


@dataclass(frozen=True)
class Entry:
    """A row of a page. `change` is up, down, same or new.

    It compares the rank with the end of the previous period, or with the start of today for all time.
    """

    rank: int
    row: BoardRow
    change: str


@dataclass(frozen=True)
class Page:
    """`total` is the number of participants on the whole board."""

    entries: Sequence[Entry]
    total: int


@dataclass(frozen=True)
class ParticipantRank:
    """The rank of one participant. If they are not on the board, `rank` and `percentile` are None and `score` is 0."""

    rank: int | None
    score: int
    total: int
    percentile: float | None


@dataclass(frozen=True)
class PageRequest:
    """Up to `limit` rows: after the first `offset` ones, or with the participant `around` in the middle.

    `around` is an external id. If this participant is not on the board, the page has no entries.
    """

    limit: int
    offset: int = 0
    around: str | None = None


def page_of(tenant: Tenant, board: Board, period: Period, *, request: PageRequest, now: datetime) -> Page:
    """A page of a board in one period.

    Raises:
        TooManyWaitingChanges: the caller must store a fold first.
        ParticipantNotFound: no participant has the id `request.around`.
    """
    fast = _fast_page(tenant, board, period, request, now=now)
    return fast or _snapshot_page(tenant, board, period, request, now=now)


def _fast_page(tenant: Tenant, board: Board, period: Period, request: PageRequest, *, now: datetime) -> Page | None:
    """The page from one statement. None if changes wait, or if the earlier rank of a row is not in the cache."""
    stored = StoredBoard(tenant.pk, board.track, period.code)
    if request.around is None:
        fast = fast_page_at(stored, request.offset, request.limit)
    else:
        fast = fast_page_around(stored, request.around, request.limit)
    if fast.has_waiting_changes:
        return None
    if request.around is not None and not fast.rows:
        get_participant(tenant, request.around, now=now)  # raises ParticipantNotFound for an unknown id
    chosen = _chosen_rows(fast, request)
    rows, ranks = fast.rows[chosen], fast.ranks[chosen]
    ids = [row.place[2] for row in rows]
    before: Ranks = {}
    if _has_closed_comparison(board, period, now=now):
        before = rank_cache.get(_cache_key(board, period, now=now), ids, revision=fast.revision)
    return None if len(before) < len(ids) else Page(_entries(rows, ranks, before), fast.total)


def _chosen_rows(fast: FastPage, request: PageRequest) -> slice:
    if request.around is None:
        return slice(None)
    index = next((i for i, row in enumerate(fast.rows) if row.external_id == request.around), 0)
    return centered_slice(index, len(fast.rows), request.limit)


def _snapshot_page(tenant: Tenant, board: Board, period: Period, request: PageRequest, *, now: datetime) -> Page:
    with snapshot(tenant):
        board_snapshot = BoardSnapshot(tenant, board, now=now)
        view = board_snapshot.period_view(period)
        board_slice = _board_slice(board_snapshot, view, request)
        total = view.total()
        ranks = _ranks(view, board_slice)
        before = previous_ranks(board_snapshot, period, [row.place[2] for row in board_slice.rows])
    return Page(_entries(board_slice.rows, ranks, before), total)


def _entries(rows: Sequence[BoardRow], ranks: Sequence[int], before: Ranks) -> Sequence[Entry]:
    return [Entry(rank, row, _change(rank, before.get(row.place[2]))) for rank, row in zip(ranks, rows, strict=True)]


def _board_slice(board_snapshot: BoardSnapshot, view: PeriodView, request: PageRequest) -> BoardSlice:
    if request.around is None:
        return view.from_offset(request.offset, request.limit)
    place = view.place_of(get_participant(board_snapshot.tenant, request.around, now=board_snapshot.now))
    return BoardSlice(0, (), is_at_end=True) if place is None else view.around(place, request.limit)


def _ranks(view: PeriodView, board_slice: BoardSlice) -> Sequence[int]:
    scores = [row.score for row in board_slice.rows]
    first = view.rank(scores[0]) if scores and board_slice.start else 1
    return competition_ranks(scores, start=board_slice.start, first=first)


def _change(rank: int, before: int | None) -> str:
    if before is None:
        return "new"
    if rank == before:
        return "same"
    return "up" if rank < before else "down"


def participant_rank(
    tenant: Tenant, board: Board, period: Period, participant_id: str, *, now: datetime
) -> ParticipantRank:
    """The rank of one participant, whose external id is `participant_id`.

    Raises:
        TooManyWaitingChanges: the caller must store a fold first.
        ParticipantNotFound: no participant has this id.
    """
    if (fast := _fast_rank(tenant, board, period, participant_id)) is not None:
        return fast
    participant = get_participant(tenant, participant_id, now=now)
    with snapshot(tenant):
        view = BoardSnapshot(tenant, board, now=now).period_view(period)
        place, total = view.place_of(participant), view.total()
        return _participant_rank(place, view.rank(place[0]) if place else 0, total)


def _fast_rank(tenant: Tenant, board: Board, period: Period, participant_id: str) -> ParticipantRank | None:
    """The rank from one statement. None if changes wait, or if the participant is not on the board or unknown."""
    fast = fast_page_of(StoredBoard(tenant.pk, board.track, period.code), participant_id)
    if fast.has_waiting_changes or not fast.rows:
        return None
    return _participant_rank(fast.rows[0].place, fast.better_scores + 1, fast.total)


def _participant_rank(place: Place | None, rank: int, total: int) -> ParticipantRank:
    if place is None:
        return ParticipantRank(None, 0, total, None)
    return ParticipantRank(rank, place[0], total, percentile(rank, total))


# --- earlier ranks ------------------------------------------------------------------------------------------------------


def previous_ranks(board_snapshot: BoardSnapshot, period: Period, ids: Sequence[UUID]) -> Ranks:
    """The ranks of participants at the end of the previous period, or at the start of today for all time.

    Uses the cache, and adds to it, unless waiting changes may alter a closed period.
    """
    if not ids:
        return {}
    board, now = board_snapshot.board, board_snapshot.now
    is_stale = board_snapshot.fold_result is not None and board_snapshot.fold_result.has_changed_closed_period
    if is_stale or not _has_closed_comparison(board, period, now=now):
        return _computed_previous_ranks(board_snapshot, period, ids)
    key, revision = _cache_key(board, period, now=now), board_snapshot.revision()
    known = rank_cache.get(key, ids, revision=revision)
    if missing := [participant_id for participant_id in ids if participant_id not in known]:
        found = _computed_previous_ranks(board_snapshot, period, missing)
        rank_cache.put(
            key, {participant_id: found.get(participant_id) for participant_id in missing}, revision=revision
        )
        known = {**known, **found}
    return known


def _has_closed_comparison(board: Board, period: Period, *, now: datetime) -> bool:
    """Whether the standing that `period` is compared with is closed.

    It is not closed for tomorrow, which is compared with today. An event whose clock is ahead may already count for tomorrow.
    """
    return period.kind is Kind.ALL_TIME or period.previous.is_closed(board.zone, now=now)


def _cache_key(board: Board, period: Period, *, now: datetime) -> ClosedPeriod:
    return board.track, period.code, local_day(now, board.zone).toordinal()


def _computed_previous_ranks(board_snapshot: BoardSnapshot, period: Period, ids: Sequence[UUID]) -> Ranks:
    if period.kind is Kind.ALL_TIME:
        return _ranks_at_start_of_today(board_snapshot, period, ids)
    view = board_snapshot.period_view(period.previous)
    places = view.places_of(ids)
    ranks = {score: view.rank(score) for score in {place[0] for place in places.values()}}
    return {participant_id: ranks[place[0]] for participant_id, place in places.items()}


def _ranks_at_start_of_today(board_snapshot: BoardSnapshot, period: Period, ids: Sequence[UUID]) -> Ranks:
    """The ranks of all time at the start of today.

    Participants who moved today had the place that is stored for the start of the day (OPENING). The others had the place that
    they have now. The rank of a score then is its rank now, minus the movers who are above it now, plus the movers who were above
    it then.
    """
    day = local_day(board_snapshot.now, board_snapshot.board.zone)
    now, opening, moved = (
        board_snapshot.period_view(each) for each in (period, period_on(Kind.OPENING, day), period_on(Kind.MOVED, day))
    )
    movers = moved.places_of(ids)
    places = {
        participant_id: place for participant_id, place in now.places_of(ids).items() if participant_id not in movers
    }
    places |= opening.places_of(ids)
    ranks: dict[int, int] = {}
    for score in {place[0] for place in places.values()}:
        best = best_place_with_score(score)
        ranks[score] = now.rank(score) - moved.count_above(best) + opening.count_above(best)
    return {participant_id: ranks[place[0]] for participant_id, place in places.items()}
