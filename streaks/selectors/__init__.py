"""Reads of streaks: what a tenant has defined, and where a participant stands."""

from streaks.selectors.care import reviving
from streaks.selectors.catalog import CompiledStreak, StreakCatalog, streaks_in
from streaks.selectors.reach import Reach, reach_of
from streaks.selectors.standings import (
    ParticipantStreakStatus,
    best_of,
    rules_of,
    shown_statuses_of,
    spans_of,
    state_of,
    status_of,
    statuses_of,
)

__all__ = [
    "CompiledStreak",
    "ParticipantStreakStatus",
    "Reach",
    "StreakCatalog",
    "best_of",
    "reach_of",
    "reviving",
    "rules_of",
    "shown_statuses_of",
    "spans_of",
    "state_of",
    "status_of",
    "statuses_of",
    "streaks_in",
]
