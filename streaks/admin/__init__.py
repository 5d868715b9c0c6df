"""Streaks in the console."""

from streaks.admin import amnesties, at_risk, people, streaks

__all__ = ["amnesties", "at_risk", "people", "streaks"]
