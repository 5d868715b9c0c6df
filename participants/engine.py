"""Pure rules for what clients choose: participant ids, tenant slugs, idempotency keys, addresses, objects of their own."""

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

MAX_EXTERNAL_ID = 255
MAX_KEY = 255
MAX_BIGINT = 2**63 - 1
MAX_OBJECT_BYTES = 16 * 1024

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


def web_address_problem(value: str) -> str | None:
    """Why `value` is not http or https with a host, or None if it is."""
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme.lower() not in {"http", "https"} or any(map(_cannot_be_in_an_address, value)):
        return "Must be an http or https URL."
    return None


def _cannot_be_in_an_address(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in _REFUSED_CATEGORIES


def object_problem(value: Mapping[str, Any]) -> str | None:
    """Why `value` cannot be attributes, properties or metadata, or None if it can."""
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_OBJECT_BYTES:
        return f"Must not exceed {MAX_OBJECT_BYTES} bytes as JSON."
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
