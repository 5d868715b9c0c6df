"""Points are awarded, deducted, adjusted and reversed, and expire; every change of a balance is one entry of the ledger."""

from gamify.points.engine import MAX_AWARD, MIN_AWARD
from gamify.points.services.adjusting import PointsAdjusted, adjust
from gamify.points.services.awarding import AWARD_BATCH, AwardRefused, BatchAwarded, PointsAwarded, award, award_batch
from gamify.points.services.changes import Change
from gamify.points.services.deducting import PointsDeducted, deduct
from gamify.points.services.entries import credit, debit, refund
from gamify.points.services.multiplying import BoostNotFound, multipliers
from gamify.points.services.reversing import (
    AlreadyReversed,
    NotReversible,
    PointsReversed,
    TransactionNotFound,
    is_reversible,
    reverse,
    undo_by_type,
)
from gamify.points.services.sweeping import expire, expiring
from gamify.points.services.wiring import register
from gamify.points.services.writing import Note

__all__ = [
    "AWARD_BATCH",
    "MAX_AWARD",
    "MIN_AWARD",
    "AlreadyReversed",
    "AwardRefused",
    "BatchAwarded",
    "BoostNotFound",
    "Change",
    "NotReversible",
    "Note",
    "PointsAdjusted",
    "PointsAwarded",
    "PointsDeducted",
    "PointsReversed",
    "TransactionNotFound",
    "adjust",
    "award",
    "award_batch",
    "credit",
    "debit",
    "deduct",
    "expire",
    "expiring",
    "is_reversible",
    "multipliers",
    "refund",
    "register",
    "reverse",
    "undo_by_type",
]
