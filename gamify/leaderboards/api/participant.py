"""Leaderboard endpoints for any active API key."""

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from gamify.leaderboards import services
from gamify.leaderboards.api import examples
from gamify.leaderboards.api.serializers import PageAnswer, PageQuery, PeriodQuery, RankAnswer
from gamify.leaderboards.engine.periods import CLIENT_KINDS, Kind, Period, period_from_key
from gamify.leaderboards.selectors import Board, boards_in, build_progress
from gamify.leaderboards.selectors.ranking.pages import Entry, PageRequest, ParticipantRank
from gamify.leaderboards.services import LeaderboardNotFound
from participants.api.schema import operation
from participants.api.views import KeyViewSet, render
from participants.catalog import catalog_of
from participants.errors import InvalidInput, ParticipantNotFound

_UNKNOWN = [LeaderboardNotFound("top_scorers"), ParticipantNotFound("user_123")]


class LeaderboardViewSet(KeyViewSet):
    @operation("read_leaderboard", query=PageQuery, answer=PageAnswer, errors=_UNKNOWN, example=examples.PAGE)
    def retrieve(self, request: Request, code: str) -> Response:
        """The entries of a leaderboard, for the current period or an earlier one.

        Every board has entries by day, week, month, year and for all time. Boards of balances and streaks have them for all time
        only. An answer includes everything that was written before the request. Participants without a score, and those who are
        inactive, anonymised or not `visible`, are not listed.
        """
        query = self.query(PageQuery)
        board = self._board(code)
        period = self._period(board, query)
        asked = PageRequest(query["limit"], query["offset"], query.get("around"))
        progress = build_progress(self.tenant, board)  # before the page, which then contains at least this much
        page = services.answer_page(tenant=self.tenant, board=board, period=period, request=asked, now=self.now)
        entries = [_entry_body(board, entry) for entry in page.entries]
        body = {**_period_body(board, period, progress), "entries": entries, "total_participants": page.total}
        return Response(render(PageAnswer, body))

    @operation("read_leaderboard_rank", query=PeriodQuery, answer=RankAnswer, errors=_UNKNOWN, example=examples.RANK)
    def rank(self, request: Request, code: str, participant_id: str) -> Response:
        """The rank of one participant. Without a score, `rank` and `percentile` are null."""
        query = self.query(PeriodQuery)
        board = self._board(code)
        period = self._period(board, query)
        progress = build_progress(self.tenant, board)
        ranked = services.answer_rank(
            tenant=self.tenant, board=board, period=period, participant_id=participant_id, now=self.now
        )
        return Response(
            render(RankAnswer, {**_period_body(board, period, progress), **_rank_body(board, participant_id, ranked)})
        )

    def _board(self, code: str) -> Board:
        board = boards_in(catalog_of(self.tenant)).active.get(code)
        if board is None:
            raise LeaderboardNotFound(code)
        return board

    def _period(self, board: Board, query: Mapping[str, Any]) -> Period:
        kind = CLIENT_KINDS[query["period"]] if "period" in query else board.default_kind
        if not board.has_kind(kind):
            raise InvalidInput("period", f"Must be all_time: this board ranks by {board.measure.metric}.")
        if "period_key" not in query:
            return board.current_period(kind, now=self.now)
        return _period_of_key(kind, query["period_key"])


def _period_of_key(kind: Kind, key: str) -> Period:
    period = period_from_key(kind, key)
    if period is None:
        raise InvalidInput("period_key", f"Must name a {kind.name.lower()} period, such as {_EXAMPLES[kind]}.")
    return period


_EXAMPLES = {
    Kind.ALL_TIME: "all_time",
    Kind.YEARLY: "2026",
    Kind.MONTHLY: "2026-02",
    Kind.WEEKLY: "2026-W07",
    Kind.DAILY: "2026-02-14",
}


def _period_body(board: Board, period: Period, progress: float) -> dict[str, Any]:
    start, end = period.bounds(board.zone)
    return {
        "leaderboard_code": board.code,
        "period": period.kind_name,
        "period_key": period.key,
        "period_start": start,
        "period_end": end,
        "building": progress < 1,
        "build_progress": progress,
    }


def _entry_body(board: Board, entry: Entry) -> dict[str, Any]:
    row = entry.row
    return {
        "rank": entry.rank,
        "participant_id": row.external_id,
        "display_name": row.display_name,
        "score": board.measure.display_score(row.score),
        "change": entry.change,
    }


def _rank_body(board: Board, participant_id: str, ranked: ParticipantRank) -> dict[str, Any]:
    return {
        "participant_id": participant_id,
        "rank": ranked.rank,
        "score": board.measure.display_score(ranked.score),
        "total_participants": ranked.total,
        "percentile": ranked.percentile,
    }
