"""Reads of leaderboards: compiled definitions, history, and ranking."""

from gamify.leaderboards.selectors.catalog import Board, boards_in
from gamify.leaderboards.selectors.progress import build_progress

__all__ = ["Board", "boards_in", "build_progress"]
