"""Pure rules of rewards.

offers        who may have one, and what is told when not       patterns      codes made on demand
"""

from rewards.engine.offers import (
    MaxClaimsExceeded,
    NoCodesAvailable,
    Offer,
    OutOfStock,
    RewardUnavailable,
    TierTooLow,
    check_open,
    check_stock,
)
from rewards.engine.patterns import MAX_PATTERN, code_of, pattern_problem

__all__ = [
    "MAX_PATTERN",
    "MaxClaimsExceeded",
    "NoCodesAvailable",
    "Offer",
    "OutOfStock",
    "RewardUnavailable",
    "TierTooLow",
    "check_open",
    "check_stock",
    "code_of",
    "pattern_problem",
]
