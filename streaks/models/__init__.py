"""Tables of streaks."""

from streaks.models.care import Amnesty, StreakPause
from streaks.models.definitions import PARTICIPANT_ZONE, PERIODS, Status, Streak, StreakRevision
from streaks.models.participants import ParticipantStreak

__all__ = [
    "PARTICIPANT_ZONE",
    "PERIODS",
    "Amnesty",
    "ParticipantStreak",
    "Status",
    "Streak",
    "StreakPause",
    "StreakRevision",
]
