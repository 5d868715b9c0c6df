"""Tiers are reached by points or given by hand; either way a change is one row of the participant's history."""

from gamify.tiers.services.assignment import Assignment, AssignmentResult, TierNotFound, assign, grant_tier
from gamify.tiers.services.changes import TierName
from gamify.tiers.services.evaluation import TierUpgrade, evaluate, highest_upgrade, recompute
from gamify.tiers.services.reversing import undo_note_for
from gamify.tiers.services.wiring import register

__all__ = [
    "Assignment",
    "AssignmentResult",
    "TierName",
    "TierNotFound",
    "TierUpgrade",
    "assign",
    "evaluate",
    "grant_tier",
    "highest_upgrade",
    "recompute",
    "register",
    "undo_note_for",
]
