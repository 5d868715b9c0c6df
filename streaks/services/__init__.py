"""Streaks are recorded, defined and cared for here."""

from streaks.selectors.due import BREAKS, RISKS
from streaks.services.announcing import review_streak, reviewing
from streaks.services.care import (
    AmnestyNotFound,
    Case,
    NothingToRestore,
    StreakNotStarted,
    declare_amnesty,
    freeze,
    restore,
    undo_amnesty,
)
from streaks.services.counting import Counted, StreakInactive, StreakNotFound, count, shown_streak
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
from streaks.services.history import TickTaken, record_history
from streaks.services.recording import (
    RECORD,
    StreakNeedsEvents,
    StreakRecorded,
    Tick,
    count_tick,
    loads_of_codes,
    record,
    record_many,
)
from streaks.services.sweeps import sweep, sweeping
from streaks.services.wiring import register

__all__ = [
    "BREAKS",
    "NOUN",
    "RECORD",
    "RISKS",
    "AmnestyNotFound",
    "Case",
    "Counted",
    "NothingToRestore",
    "StreakIdNotFound",
    "StreakInactive",
    "StreakNameConflict",
    "StreakNeedsEvents",
    "StreakNotFound",
    "StreakNotPaused",
    "StreakNotStarted",
    "StreakRecorded",
    "Tick",
    "TickTaken",
    "archive",
    "count",
    "count_tick",
    "create_named_streak",
    "create_streak",
    "declare_amnesty",
    "freeze",
    "loads_of_codes",
    "pause",
    "record",
    "record_history",
    "record_many",
    "register",
    "restore",
    "resume",
    "review_streak",
    "reviewing",
    "set_status",
    "shown_streak",
    "sweep",
    "sweeping",
    "undo_amnesty",
    "update_named_streak",
    "update_streak",
]
