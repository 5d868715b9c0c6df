"""Writes of streaks: ticks, definitions, care, reviews and sweeps."""

from streaks.services.care import (
    AmnestyNotFound,
    CareRequest,
    NotAtRisk,
    NothingToRestore,
    StreakNotStarted,
    declare_amnesty,
    freeze,
    nudge,
    restore,
    undo_amnesty,
)
from streaks.services.counting import StreakInactive, StreakNotFound, visible_streak
from streaks.services.definitions import (
    NOUN,
    StreakIdNotFound,
    StreakNameConflict,
    StreakNotPaused,
    archive,
    create_named_streak,
    create_streak,
    pause,
    resume,
    set_status,
    update_named_streak,
    update_streak,
)
from streaks.services.history import record_history
from streaks.services.recording import (
    StreakNeedsEvents,
    Tick,
    grant_tick,
    loads_of_codes,
    record,
    record_in_unit,
    record_many,
)
from streaks.services.reviews import review_streak
from streaks.services.sweeps import sweep

__all__ = [
    "NOUN",
    "AmnestyNotFound",
    "CareRequest",
    "NotAtRisk",
    "NothingToRestore",
    "StreakIdNotFound",
    "StreakInactive",
    "StreakNameConflict",
    "StreakNeedsEvents",
    "StreakNotFound",
    "StreakNotPaused",
    "StreakNotStarted",
    "Tick",
    "archive",
    "create_named_streak",
    "create_streak",
    "declare_amnesty",
    "freeze",
    "grant_tick",
    "loads_of_codes",
    "nudge",
    "pause",
    "record",
    "record_history",
    "record_in_unit",
    "record_many",
    "restore",
    "resume",
    "review_streak",
    "set_status",
    "sweep",
    "undo_amnesty",
    "update_named_streak",
    "update_streak",
    "visible_streak",
]
