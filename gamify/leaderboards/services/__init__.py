"""Writes of leaderboards: define, fill, fold, sweep and verify."""

from gamify.leaderboards.services.answering import answer_page, answer_rank
from gamify.leaderboards.services.building import build, rebuild
from gamify.leaderboards.services.definitions import (
    LeaderboardNotFound,
    create_leaderboard,
    selector_problem,
    update_leaderboard,
)
from gamify.leaderboards.services.folding import fold, fold_chunk, fold_in_chunks
from gamify.leaderboards.services.sweeping import sweep
from gamify.leaderboards.services.verifying import Drift, drifts, rows_to_verify
from gamify.leaderboards.services.wiring import register

__all__ = [
    "Drift",
    "LeaderboardNotFound",
    "answer_page",
    "answer_rank",
    "build",
    "create_leaderboard",
    "drifts",
    "fold",
    "fold_chunk",
    "fold_in_chunks",
    "rebuild",
    "register",
    "rows_to_verify",
    "selector_problem",
    "sweep",
    "update_leaderboard",
]
