"""Reads of badges: those a tenant gives, those a participant has, and how far they are with the others."""

from gamify.badges.selectors.catalog import CATALOG_PART, BadgeDefinition, Badges, active_badges, badges_in, load_badges
from gamify.badges.selectors.statuses import BadgeStatus, Progress, badge_statuses, only_earned, with_progress

__all__ = [
    "CATALOG_PART",
    "BadgeDefinition",
    "BadgeStatus",
    "Badges",
    "Progress",
    "active_badges",
    "badge_statuses",
    "badges_in",
    "load_badges",
    "only_earned",
    "with_progress",
]
