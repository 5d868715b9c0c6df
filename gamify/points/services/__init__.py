"""Services that award, deduct, adjust, reverse and expire points. Each change of a balance is one ledger entry."""

from gamify.points.services.adjusting import adjust
from gamify.points.services.awarding import AWARD_BATCH, AwardResult, award, award_batch
from gamify.points.services.changes import Change
from gamify.points.services.deducting import DeductionResult, deduct
from gamify.points.services.entries import adjust as adjust_balance
from gamify.points.services.entries import credit, debit, refund
from gamify.points.services.limiting import DailyLimit, DailyLimitReached
from gamify.points.services.multiplying import BoostNotFound, multipliers
from gamify.points.services.reversing import (
    AlreadyReversed,
    NotReversible,
    ReversalResult,
    TransactionNotFound,
    is_reversible,
    reverse,
    undo_by_type,
)
from gamify.points.services.sweeping import expire, expire_in_chunks
from gamify.points.services.writing import Note

__all__ = [
    "AWARD_BATCH",
    "AlreadyReversed",
    "AwardResult",
    "BoostNotFound",
    "Change",
    "DailyLimit",
    "DailyLimitReached",
    "DeductionResult",
    "NotReversible",
    "Note",
    "ReversalResult",
    "TransactionNotFound",
    "adjust",
    "adjust_balance",
    "award",
    "award_batch",
    "credit",
    "debit",
    "deduct",
    "expire",
    "expire_in_chunks",
    "is_reversible",
    "multipliers",
    "refund",
    "reverse",
    "undo_by_type",
]
