"""What a client says that happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class EventInput:
    """One event before it is recorded; `at` is when it happened, in any zone."""

    participant_id: str
    name: str
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
