"""Badges are awarded here: once to each participant, by hand or by their criteria."""

from gamify.badges.services.awarding import BadgeAwarded, BadgeNotFound, award, grant, loads_for
from gamify.badges.services.counting import advanced, ensure_progress_rows, loads_of
from gamify.badges.services.definitions import create_badge, criteria_problem, update_badge
from gamify.badges.services.retroactive import NothingToMeet, award_met, meeting
from gamify.badges.services.wiring import register

__all__ = [
    "BadgeAwarded",
    "BadgeNotFound",
    "NothingToMeet",
    "advanced",
    "award",
    "award_met",
    "create_badge",
    "criteria_problem",
    "ensure_progress_rows",
    "grant",
    "loads_for",
    "loads_of",
    "meeting",
    "register",
    "update_badge",
]
