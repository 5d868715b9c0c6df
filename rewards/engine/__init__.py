"""Pure rules of rewards.

offers        whether a reward can be claimed              patterns      codes that are made on demand
multipliers   periods in which points are multiplied       code_lines    texts with one code per line
"""

from rewards.engine.code_lines import (
    MAX_CODE,
    BadLine,
    CodeLines,
    code_problem,
    mask,
    parse_code_lines,
    text_from_codes,
)
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
from rewards.engine.patterns import MAX_PATTERN, pattern_problem, random_code

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
    "code_problem",
    "mask",
    "multiplier_of",
    "parse_code_lines",
    "pattern_problem",
    "pieces_left",
    "random_code",
    "text_from_codes",
]
