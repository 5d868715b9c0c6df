"""The bodies that create and change a streak, in both dialects and in the console."""

from streaks.definitions.config import Config, model_of_config
from streaks.definitions.console import ConsoleStreakChanges, NewConsoleStreak, milestone_problems, model_of_console
from streaks.definitions.gamify import NewStreak, StreakChanges, model_changes
from streaks.definitions.whole import register

__all__ = [
    "Config",
    "ConsoleStreakChanges",
    "NewConsoleStreak",
    "NewStreak",
    "StreakChanges",
    "milestone_problems",
    "model_changes",
    "model_of_config",
    "model_of_console",
    "register",
]
