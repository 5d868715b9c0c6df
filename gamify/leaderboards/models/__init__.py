"""What is ranked, where everybody stands, and what has not been worked in yet."""

from gamify.leaderboards.models.boards import Leaderboard, MetricChoice, WindowChoice
from gamify.leaderboards.models.scores import Score, ScoreRange
from gamify.leaderboards.models.writing import Folding, ScoreChange

__all__ = [
    "Folding",
    "Leaderboard",
    "MetricChoice",
    "Score",
    "ScoreChange",
    "ScoreRange",
    "WindowChoice",
]
