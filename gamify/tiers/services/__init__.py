"""Tiers are reached by points or given by hand; either way a change is one row of the participant's history."""

from gamify.tiers.services.assignment import Assignment, TierAssigned, TierNotFound, assign, grant_tier
from gamify.tiers.services.changes import TierName
from gamify.tiers.services.evaluation import TierUpgrade, evaluate, highest_upgrade, recompute
from gamify.tiers.services.reversing import mark_of
from gamify.tiers.services.wiring import register

__all__ = [
    "Assignment",
    "TierAssigned",
    "TierName",
    "TierNotFound",
    "TierUpgrade",
    "assign",
    "evaluate",
    "grant_tier",
    "highest_upgrade",
    "mark_of",
    "recompute",
    "register",
]
