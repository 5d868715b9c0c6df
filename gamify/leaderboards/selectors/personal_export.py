"""What the personal export contains of leaderboards."""

from collections.abc import Mapping
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from gamify.leaderboards.engine.periods import period_from_code
from gamify.leaderboards.models import LargeSum, Leaderboard, Score, ScoreChange
from participants.models import Participant
from participants.services.personal_data import PersonalTable, columns_of


def _scores_of(participant: Participant) -> "QuerySet[Score]":
    board = Leaderboard.objects.filter(tenant_id=OuterRef("tenant_id"), track=OuterRef("track"))
    return Score.objects.filter(tenant_id=participant.tenant_id, participant_id=participant.pk).annotate(
        board_code=Subquery(board.values("code")[:1])
    )


def _describe_score(row: Any) -> Mapping[str, Any]:
    """Return a score with the board and the period in words. `board_code` is null for a board that measures something else now."""
    period = period_from_code(row.period)
    return {
        "board_code": row.board_code,
        "track": row.track,
        "period_type": period.kind_name,
        "period": period.key,
        "score": row.total,
        "is_shown": row.is_shown,
    }


def _changes_of(participant: Participant) -> "QuerySet[ScoreChange]":
    return ScoreChange.objects.filter(tenant_id=participant.tenant_id, participant_id=participant.pk)


def _describe_sum(row: LargeSum) -> Mapping[str, Any]:
    return columns_of(row) | {"total": row.total}


TABLES = {
    "scores": PersonalTable(
        Score,
        "Scores on leaderboards by period. The sum of a property is in millionths.",
        order=("track", "period"),
        rows=_scores_of,
        describe=_describe_score,
    ),
    "score_changes": PersonalTable(ScoreChange, "Changes of scores that are not in `scores` yet.", rows=_changes_of),
    "large_sums": PersonalTable(LargeSum, "Sums of large amounts, in millionths.", describe=_describe_sum),
}
"""Score ranges are left out: they count everybody's scores, and only begin at the place of a participant."""
