"""What is ranked, where everybody stands, and what has not been worked in yet."""

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
