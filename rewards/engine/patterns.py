"""Patterns of codes that are made at the moment of a claim: `SUMMER-####-????`.

`#` stands for a digit, `?` for a letter, `*` for either; everything else for itself. What people read off a screen and type
elsewhere has no characters that look like others: neither 0 nor O, neither 1, I nor L, and no U, which is read as V.
"""

import math
import secrets
from collections.abc import Mapping

DIGITS = "23456789"
LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ"
WILDCARDS: Mapping[str, str] = {"#": DIGITS, "?": LETTERS, "*": DIGITS + LETTERS}

MAX_PATTERN = 100  # characters
MIN_CODES = 100_000_000
GUESSES_FOR_EACH = 1_000


def possible_codes(pattern: str) -> int:
    """How many different codes `pattern` has."""
    return math.prod(len(WILDCARDS[character]) for character in pattern if character in WILDCARDS)


def pattern_problem(pattern: str, *, inventory: int | None) -> str | None:
    """Why codes of `pattern` could be guessed, or None if they cannot well be: too few there are in all, or too few for so many
    pieces (None: no limit) that a thousand guesses would find one.
    """
    possible, needed = possible_codes(pattern), max(MIN_CODES, GUESSES_FOR_EACH * (inventory or 0))
    if possible >= needed:
        return None
    return (
        f"Makes {possible:,} different codes, which could be guessed; at least {needed:,} are needed. "
        "Use more of # (a digit), ? (a letter) and * (either)."
    )


def random_code(pattern: str) -> str:
    """A code that nobody can foresee; whether it was made before, the caller must know."""
    return "".join(secrets.choice(WILDCARDS.get(character, character)) for character in pattern)
