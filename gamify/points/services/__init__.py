"""Points are awarded and deducted; every change of a balance is one entry of the ledger."""

from gamify.points.engine import MAX_AWARD, MIN_AWARD
from gamify.points.services.awarding import AWARD_BATCH, AwardRefused, BatchAwarded, PointsAwarded, award, award_batch
from gamify.points.services.changes import Change
from gamify.points.services.deducting import PointsDeducted, deduct
from gamify.points.services.entries import Note, credit, debit, refund
from gamify.points.services.wiring import register

__all__ = [
    "AWARD_BATCH",
    "MAX_AWARD",
    "MIN_AWARD",
    "AwardRefused",
    "BatchAwarded",
    "Change",
    "Note",
    "PointsAwarded",
    "PointsDeducted",
    "award",
    "award_batch",
    "credit",
    "debit",
    "deduct",
    "refund",
    "register",
]
