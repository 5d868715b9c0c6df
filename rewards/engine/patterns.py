"""Patterns of codes that are made on demand: `SUMMER-####-????`.

`#` stands for a digit, `?` for a letter, `*` for either. Other characters are copied. People read codes and type them elsewhere, so
characters that look alike are not used: no 0 and O, no 1, I and L, and no U, which looks like V.
"""

import math
import secrets
from collections.abc import Mapping

DIGITS = "23456789"
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ"
WILDCARDS: Mapping[str, str] = {"#": DIGITS, "?": LETTERS, "*": DIGITS + LETTERS}

MAX_PATTERN = 100  # characters
MIN_CODES = 100_000_000
CODES_PER_PIECE = 1_000


def possible_codes(pattern: str) -> int:
    """Return how many different codes `pattern` allows."""
    return math.prod(len(WILDCARDS[character]) for character in pattern if character in WILDCARDS)


def pattern_problem(pattern: str, *, inventory: int | None) -> str | None:
    """Return why codes of `pattern` could be guessed, or None.

    A pattern must allow at least MIN_CODES codes, and CODES_PER_PIECE for each piece of `inventory` (None: no limit).
    """
    possible, needed = possible_codes(pattern), max(MIN_CODES, CODES_PER_PIECE * (inventory or 0))
    if possible >= needed:
        return None
    return (
        f"Allows {possible:,} different codes, which could be guessed; at least {needed:,} are required. "
        "Use more of # (a digit), ? (a letter) and * (either)."
    )


def random_code(pattern: str) -> str:
    """Return an unpredictable code. The caller checks whether it exists already."""
    return "".join(secrets.choice(WILDCARDS.get(character, character)) for character in pattern)
