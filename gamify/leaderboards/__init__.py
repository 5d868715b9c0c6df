"""Leaderboards: ranks of participants in every period. The cost of an answer does not grow with the board."""
