"""Reads of leaderboards: compiled definitions, history, and ranking."""

from gamify.leaderboards.selectors.catalog import Board, Boards, boards_in

__all__ = ["Board", "Boards", "boards_in"]
