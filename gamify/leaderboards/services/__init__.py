"""Writes of leaderboards: define, fill, fold, sweep and verify."""

from gamify.leaderboards.services.answering import answer_page, answer_rank
from gamify.leaderboards.services.building import build, rebuild
from gamify.leaderboards.services.definitions import (
    LeaderboardNotFound,
    create_leaderboard,
    selector_problem,
    update_leaderboard,
)
from gamify.leaderboards.services.folding import fold, fold_in_chunks
from gamify.leaderboards.services.sweeping import sweep
from gamify.leaderboards.services.verifying import drifts, rows_to_verify

__all__ = [
    "LeaderboardNotFound",
    "answer_page",
    "answer_rank",
    "build",
    "create_leaderboard",
    "drifts",
    "fold",
    "fold_in_chunks",
    "rebuild",
    "rows_to_verify",
    "selector_problem",
    "sweep",
    "update_leaderboard",
]
