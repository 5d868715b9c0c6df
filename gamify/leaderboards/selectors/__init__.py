"""Reads of boards: what is defined, who stands where, and what changes come to."""

from gamify.leaderboards.selectors.catalog import Board, Boards, boards_in

__all__ = ["Board", "Boards", "boards_in"]
