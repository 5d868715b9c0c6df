"""Award, revoke and define badges."""

from gamify.badges.services.awarding import BadgeNotFound, award, grant, loads_for
from gamify.badges.services.definitions import create_badge, criteria_problem, update_badge
from gamify.badges.services.progress import count_event, ensure_progress_rows, progress_loads
from gamify.badges.services.retroactive import BadgeWithoutCriteria, award_to_eligible

__all__ = [
    "BadgeNotFound",
    "BadgeWithoutCriteria",
    "award",
    "award_to_eligible",
    "count_event",
    "create_badge",
    "criteria_problem",
    "ensure_progress_rows",
    "grant",
    "loads_for",
    "progress_loads",
    "update_badge",
]
