"""A fact, as those who hear it see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from participants.models import Participant


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What outcomes come of. `at` is when it happened, which may be long before now; `event_id` is the client's event at
    the beginning of it all, None where there was none. `depth` counts the facts between it and the first of its chain.
    """

    participant: Participant
    at: datetime
    key: str
    event_id: UUID | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    depth: int = 0


@dataclass(frozen=True, kw_only=True)
class Fact(Cause):
    """One thing that happened to one participant, who is locked: an event of the client's, or a change of the product's.

    The properties of a change are the data of its domain event. `key` is the same whenever this very fact is heard again,
    and a good beginning for the keys of what comes of it.
    """

    name: str
    is_change: bool = False
