"""Tables: definitions, scores and their ranges, large sums, and changes that wait to be folded."""

from gamify.leaderboards.models.boards import DEFAULT_METRIC, Leaderboard, WindowChoice
from gamify.leaderboards.models.changes import Folding, ScoreChange
from gamify.leaderboards.models.scores import Score, ScoreRange
from gamify.leaderboards.models.sums import LargeSum

__all__ = [
    "DEFAULT_METRIC",
    "Folding",
    "LargeSum",
    "Leaderboard",
    "Score",
    "ScoreChange",
    "ScoreRange",
    "WindowChoice",
]
