"""Reads of leaderboards: compiled definitions, history, and ranking."""

from gamify.leaderboards.selectors.catalog import Board, boards_in

__all__ = ["Board", "boards_in"]
