"""Tables about staff accounts: their sessions and second factors."""

from gamify_project.models.second_factors import RecoveryCode, SecondFactor
from gamify_project.models.sessions import ConsoleSession

__all__ = ["ConsoleSession", "RecoveryCode", "SecondFactor"]
