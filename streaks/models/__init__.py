"""Tables of streaks, a topic per module."""

from streaks.models.care import Amnesty, StreakPause
from streaks.models.definitions import PARTICIPANT_ZONE, PeriodChoice, Status, Streak, StreakRevision
from streaks.models.participants import ParticipantStreak

__all__ = [
    "PARTICIPANT_ZONE",
    "Amnesty",
    "ParticipantStreak",
    "PeriodChoice",
    "Status",
    "Streak",
    "StreakPause",
    "StreakRevision",
]
