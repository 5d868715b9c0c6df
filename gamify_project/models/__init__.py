"""Tables of the installation, which belong to no tenant: sessions and second factors of staff accounts, runs of periodic tasks."""

from gamify_project.models.periodic import PeriodicRun
from gamify_project.models.second_factors import RecoveryCode, SecondFactor
from gamify_project.models.sessions import ConsoleSession

__all__ = ["ConsoleSession", "PeriodicRun", "RecoveryCode", "SecondFactor"]
