"""An event as a client reports it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from participants.engine import control_character_problem


@dataclass(frozen=True)
class EventInput:
    """One event before it is recorded. `at` is the time at which it happened, in any zone."""

    participant_id: str
    name: str
    at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None


MAX_EVENT_NAME = 100


def name_problem(name: str) -> str | None:
    """Return why `name` cannot be the name of an event, or None if it can."""
    if not 1 <= len(name) <= MAX_EVENT_NAME:
        return f"Must be 1 to {MAX_EVENT_NAME} characters long."
    if "," in name:
        return "Must not contain a comma: definitions list event names separated by commas, so none could listen to it."
    return control_character_problem(name)
