"""Leaderboards: who stands where, in every period, at a cost that does not grow with the board."""
