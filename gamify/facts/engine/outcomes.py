"""What comes of a fact: something to be given, something that was given, and why."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from participants.errors import DomainError


@dataclass(frozen=True)
class Source:
    """The definition that something came of: its type, such as `streak` or `rule`, and its code."""

    type: str
    code: str


@dataclass(frozen=True)
class Grant:
    """Something to be given, by the kind that `kind` names; `spec` is the definition's own words (contract §11).

    `key` is made of the cause, the definition and the threshold: what has the same key is given once in a unit. The
    pipeline fills in what it came of: the event, None where there was none, the properties that `spec` may refer to, and
    when that happened.
    """

    kind: str
    spec: Mapping[str, Any]
    source: Source
    key: str
    event_id: UUID | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True)
class GrantReport:
    """Something that was given. It has a code or, where it has none, an id; `amount` is in points."""

    type: str
    name: str
    source: Source
    code: str | None = None
    id: UUID | None = None
    amount: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As `rewards_granted` tells it; also what the answer to a repeat is stored as."""
        named = {"code": self.code} if self.id is None else {"id": str(self.id)}
        amount = {} if self.amount is None else {"amount": self.amount}
        source = {"type": self.source.type, "code": self.source.code}
        return {"type": self.type, **named, "name": self.name, **amount, "source": source}


class GrantRefused(DomainError):
    """Why a grant is left out. It is told in the decision trace only: nothing refuses an event."""


NOT_MATCHED = "not_matched"


@dataclass(frozen=True)
class TraceEntry:
    """A definition listened, for the decision trace: `result` is one word for what that came to, `note` a sentence more.

    `conditions` makes the list of what was asked (`expressions.judged`); it is called only where the trace has room.
    """

    source: Source
    result: str
    note: str | None = None
    conditions: Callable[[], Sequence[Mapping[str, Any]]] = tuple


MAX_NOT_MATCHED = 10
"""Of so many definitions that listened to a fact and did not match, the trace tells each; of the others, how many."""


@dataclass(frozen=True)
class TraceRest:
    """So many more definitions listened and did not match; for consumers that have many."""

    definitions: int


@dataclass(frozen=True)
class UndoNote:
    """Something was counted in a row that does not bear the event's id. It is kept with the event, under the name of the
    domain and in its own words (JSON), so that exactly this can be taken back.
    """

    domain: str
    data: Mapping[str, Any]


Outcome = Grant | GrantReport | TraceEntry | TraceRest | UndoNote
