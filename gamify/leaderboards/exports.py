"""Export of a leaderboard in a closed period."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from gamify.facts.services import board_metrics
from gamify.leaderboards.engine.periods import CLIENT_KINDS, Period, period_from_key
from gamify.leaderboards.engine.ranking.places import best_place_with_score, competition_ranks, join_score
from gamify.leaderboards.models import Score
from gamify.leaderboards.selectors import Board, boards_in
from gamify.leaderboards.selectors.ranking.stored_board import StoredBoard
from gamify.leaderboards.services import fold
from participants.api.exporting import ExportFilters, ExportKind, Scope, export_kinds
from participants.api.exports import PARTICIPANT_ID
from participants.api.scalars import TextField
from participants.catalog import catalog_of
from participants.errors import InvalidInput

_PLACE = {
    "rank": "1 is the best. Equal scores share a rank.",
    "participant_id": PARTICIPANT_ID,
    "display_name": "Display name today.",
    "score": "The score in this period.",
}
_EXAMPLES = {"yearly": "2026", "monthly": "2026-02", "weekly": "2026-W07", "daily": "2026-02-14"}


class BoardFilters(ExportFilters):
    code = TextField(max_length=50, help_text="Code of the leaderboard.")
    period = serializers.ChoiceField(choices=list(_EXAMPLES), help_text="Kind of period.")
    period_key = TextField(max_length=20, help_text="The period, such as `2026-02` or `2026-W07`. It must be over.")


@dataclass(frozen=True)
class _ClosedBoard:
    """A leaderboard in one period that is over."""

    board: Board
    period: Period


def _find(scope: Scope) -> _ClosedBoard:
    board, period = _board(scope), _period(scope)
    if not board.has_kind(period.kind):
        raise InvalidInput("filters.code", f"This leaderboard has no periods: it ranks by {board.measure.metric}.")
    if not period.is_closed(board.zone, now=scope.asked_at):
        raise InvalidInput("filters.period_key", "This period is not over. Choose one that is.")
    if board.is_building:
        raise InvalidInput("filters.code", "This leaderboard is still being filled. Try again later.")
    return _ClosedBoard(board, period)


def _board(scope: Scope) -> Board:
    board = boards_in(catalog_of(scope.tenant)).active.get(scope.filters["code"])
    if board is None:
        raise InvalidInput("filters.code", "There is no active leaderboard with this code.")
    if board.track >= scope.first_later_id:  # a file must not contain scores of two ways of measuring
        raise InvalidInput(
            "filters.code", "Its scores were computed again after the export was created. Create a new export."
        )
    return board


def _period(scope: Scope) -> Period:
    kind = scope.filters["period"]
    period = period_from_key(CLIENT_KINDS[kind], scope.filters["period_key"])
    if period is None:
        raise InvalidInput("filters.period_key", f"Must name a {kind} period, such as {_EXAMPLES[kind]}.")
    return period


def _prepare(scope: Scope) -> None:
    """Fold the changes that wait, so that the stored scores are complete."""
    if settle := board_metrics[scope.subject.board.measure.metric].settle:
        settle(tenant=scope.tenant, now=scope.asked_at)
    fold(tenant=scope.tenant, now=scope.asked_at)


def _scores(scope: Scope) -> "QuerySet[Score]":
    found: _ClosedBoard = scope.subject
    rows = Score.objects.filter(scope.of_tenant, track=found.board.track, period=found.period.code, is_shown=True)
    return rows.order_by()


def _values(scope: Scope, rows: Sequence[Any], number: int) -> Iterable[Sequence[Any]]:
    if not rows:
        return
    measure = scope.subject.board.measure
    scores = [join_score(carry, rest) for carry, rest, *_ in rows]
    for rank, score, row in zip(_ranks(scope, scores, number), scores, rows, strict=True):
        yield rank, *row[2:], measure.display_score(score)


def _ranks(scope: Scope, scores: Sequence[int], number: int) -> Sequence[int]:
    """Return the ranks of a page. The first row may share its rank with rows of the page before."""
    found: _ClosedBoard = scope.subject
    stored = StoredBoard(scope.tenant.pk, found.board.track, found.period.code)
    return competition_ranks(scores, start=number, first=stored.count_above(best_place_with_score(scores[0])) + 1)


def register() -> None:
    """Called by `AppConfig.ready`."""
    export_kinds.register(
        "leaderboard",
        ExportKind(
            title="Leaderboard of a closed period",
            about="One row per participant on the leaderboard, the best first. All filters are required.",
            columns=_PLACE,
            filters=BoardFilters,
            rows=_scores,
            order=("carry", "score", "earliness", "participant_id"),
            descending=True,
            fields=("carry", "score", "participant__external_id", "participant__display_name"),
            render=_values,
            find=_find,
            prepare=_prepare,
            permission="leaderboards.view_leaderboard",
        ),
    )
