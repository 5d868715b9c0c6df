"""Reads of badges: those a tenant gives, those a participant has, and how far they are with the others."""

from gamify.badges.selectors.catalog import CATALOG_PART, BadgeDefinition, Badges, active_badges, badges_in, load_badges
from gamify.badges.selectors.standings import BadgeStatus, Progress, earned, standings_of, with_progress

__all__ = [
    "CATALOG_PART",
    "BadgeDefinition",
    "BadgeStatus",
    "Badges",
    "Progress",
    "active_badges",
    "badges_in",
    "earned",
    "load_badges",
    "standings_of",
    "with_progress",
]
