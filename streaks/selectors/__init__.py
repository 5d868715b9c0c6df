"""Reads of streaks: definitions of a tenant, and statuses of participants."""

from streaks.selectors.care import restorable_span, status_without_freeze
from streaks.selectors.catalog import CompiledStreak, streaks_in
from streaks.selectors.direct_ticks import TickedWindow, ticked_windows
from streaks.selectors.reach import Reach, reach_of
from streaks.selectors.statuses import (
    ROWS,
    ParticipantStreakStatus,
    best_status,
    spans_of,
    state_of,
    status_of,
    statuses_of,
    visible_statuses_of,
)

__all__ = [
    "ROWS",
    "CompiledStreak",
    "ParticipantStreakStatus",
    "Reach",
    "TickedWindow",
    "best_status",
    "reach_of",
    "restorable_span",
    "spans_of",
    "state_of",
    "status_of",
    "status_without_freeze",
    "statuses_of",
    "streaks_in",
    "ticked_windows",
    "visible_statuses_of",
]
