"""Pure rules for names that clients choose: participant ids, tenant slugs, idempotency keys."""

import re
import unicodedata

MAX_EXTERNAL_ID = 255
MAX_KEY = 255
MAX_BIGINT = 2**63 - 1

RESERVED_SLUGS = frozenset({"user", "users", "definitions"})
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_HEADER_KEY = re.compile(r"[A-Za-z0-9_\-:.]{1,255}")
# Control characters, lone surrogates, and the two separators that break a line wherever the id is logged.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def external_id_problem(value: str) -> str | None:
    """Why `value` cannot be a participant id (1–255 characters of any printable Unicode), or None if it can."""
    if not 1 <= len(value) <= MAX_EXTERNAL_ID:
        return f"Must be 1 to {MAX_EXTERNAL_ID} characters long."
    return control_character_problem(value)


def control_character_problem(value: str) -> str | None:
    """Why `value` cannot be a one-line text, or None if it can."""
    if any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in value):
        return "Must not contain control characters."
    return None


def slug_problem(value: str) -> str | None:
    """Why `value` cannot be a tenant's public slug, or None if it can."""
    if not _SLUG.fullmatch(value):
        return "Must be 1 to 64 of a-z, 0-9, '-' and '_', and begin with a letter or a digit."
    if value in RESERVED_SLUGS:
        return f"'{value}' is reserved."
    return None


def is_header_key(value: str) -> bool:
    """Whether `value` may stand in an `Idempotency-Key` header."""
    return bool(_HEADER_KEY.fullmatch(value))
