"""Reads of badges: active badges of a tenant, badges of a participant, and progress towards the others."""

from gamify.badges.selectors.catalog import BadgeDefinition, active_badges, badges_in
from gamify.badges.selectors.statuses import AWARDS, BadgeStatus, badge_statuses, only_earned, with_progress

__all__ = [
    "AWARDS",
    "BadgeDefinition",
    "BadgeStatus",
    "active_badges",
    "badge_statuses",
    "badges_in",
    "only_earned",
    "with_progress",
]
