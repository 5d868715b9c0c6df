"""Recognises that two events without a key are the same event."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any


def fingerprint(name: str, at: datetime, properties: Mapping[str, Any]) -> str:
    """Return 64 hex digits that two events of a participant share if and only if they are the same event.

    They are the same if their names, instants and properties are equal. The order of keys does not matter, and numbers are
    compared by value, as conditions compare them: 1 and 1.0 are equal, 1 and true are not.
    """
    identity = json.dumps([name, at.astimezone(UTC).isoformat(), _canonical(properties)], sort_keys=True)
    return sha256(identity.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """Return `value` with each whole number as an int."""
    if isinstance(value, dict):
        return {key: _canonical(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_canonical(child) for child in value]
    return _whole(value) if isinstance(value, float) and value.is_integer() else value


def _whole(value: float) -> int:
    """Return the number that JSON shows, because PostgreSQL stores that one: 1.2345678901234568e18 has zeros at its end there."""
    return int(Decimal(repr(value)))
