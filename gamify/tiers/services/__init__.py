"""Services that change tiers, by points or by hand. Each change is one row of the participant's history."""

from gamify.tiers.services.assignment import (
    Assignment,
    AssignmentResult,
    TierNotFound,
    assign,
    assign_in_unit,
    grant_tier,
)
from gamify.tiers.services.evaluation import TierUpgrade, evaluate, highest_upgrade, recompute
from gamify.tiers.services.ladder import apply_in_chunks, apply_ladder
from gamify.tiers.services.reversing import undo_note_for

__all__ = [
    "Assignment",
    "AssignmentResult",
    "TierNotFound",
    "TierUpgrade",
    "apply_in_chunks",
    "apply_ladder",
    "assign",
    "assign_in_unit",
    "evaluate",
    "grant_tier",
    "highest_upgrade",
    "recompute",
    "undo_note_for",
]
