"""Streaks in the console."""

from streaks.admin import amnesties, people, streaks

__all__ = ["amnesties", "people", "streaks"]
