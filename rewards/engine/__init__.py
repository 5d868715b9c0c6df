"""Pure rules of rewards.

offers        who may have one, and what is told when not       patterns      codes made on demand
multipliers   times in which points count more                code_lines    codes as people keep them
"""

from rewards.engine.code_lines import MAX_CODE, BadLine, CodeLines, code_lines, code_problem, masked, text_of
from rewards.engine.multipliers import (
    MAX_HOURS,
    MULTIPLIER_DIGITS,
    MULTIPLIER_PLACES,
    Multiplier,
    multiplier_of,
)
from rewards.engine.offers import (
    MaxClaimsExceeded,
    NoCodesAvailable,
    Offer,
    OutOfStock,
    RewardUnavailable,
    TierTooLow,
    check_open,
    check_stock,
    pieces_left,
)
from rewards.engine.patterns import MAX_PATTERN, code_of, pattern_problem

__all__ = [
    "MAX_CODE",
    "MAX_HOURS",
    "MAX_PATTERN",
    "MULTIPLIER_DIGITS",
    "MULTIPLIER_PLACES",
    "BadLine",
    "CodeLines",
    "MaxClaimsExceeded",
    "Multiplier",
    "NoCodesAvailable",
    "Offer",
    "OutOfStock",
    "RewardUnavailable",
    "TierTooLow",
    "check_open",
    "check_stock",
    "code_lines",
    "code_of",
    "code_problem",
    "masked",
    "multiplier_of",
    "pattern_problem",
    "pieces_left",
    "text_of",
]
