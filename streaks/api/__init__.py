"""Streaks over HTTP, in the Gamify dialect."""
