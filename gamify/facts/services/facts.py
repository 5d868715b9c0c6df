"""A fact: an event or a change, in the form in which consumers get it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from participants.models import Participant


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What causes outcomes.

    - `at`: the time at which it happened, which may be long before now.
    - `event_id`: the client's event with which the chain began; None if it began without one.
    - `depth`: the number of facts between it and the first fact of its chain.
    - `is_traced`: whether trace entries are stored. If not, consumers may leave them out.
    """

    participant: Participant
    at: datetime
    key: str
    event_id: UUID | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    depth: int = 0
    is_traced: bool = True


@dataclass(frozen=True, kw_only=True)
class Fact(Cause):
    """Something that happened to one participant, who is locked: a client's event, or a change (`is_change`).

    The properties of a change are the data of its domain event. `key` identifies the fact. The deduplication keys of its outcomes
    begin with it.
    """

    name: str
    is_change: bool = False
