"""Award, revoke and define badges."""

from gamify.badges.services.awarding import BadgeAwarded, BadgeNotFound, award, grant, loads_for
from gamify.badges.services.definitions import create_badge, criteria_problem, update_badge
from gamify.badges.services.progress import count_event, ensure_progress_rows, progress_loads
from gamify.badges.services.retroactive import BadgeWithoutCriteria, award_to_eligible, eligible_participants
from gamify.badges.services.wiring import register

__all__ = [
    "BadgeAwarded",
    "BadgeNotFound",
    "BadgeWithoutCriteria",
    "award",
    "award_to_eligible",
    "count_event",
    "create_badge",
    "criteria_problem",
    "eligible_participants",
    "ensure_progress_rows",
    "grant",
    "loads_for",
    "progress_loads",
    "register",
    "update_badge",
]
