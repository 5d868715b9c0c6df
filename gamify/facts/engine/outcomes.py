"""What a consumer returns for a fact: grants, reports of grants, trace entries and undo notes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from participants.errors import DomainError


@dataclass(frozen=True)
class Source:
    """The definition that caused an outcome: its type, such as `streak` or `rule`, and its code."""

    type: str
    code: str

    def to_json(self) -> dict[str, str]:
        return {"type": self.type, "code": self.code}


@dataclass(frozen=True)
class Grant:
    """Something that the pipeline is to give, by the grant kind `kind`.

    `spec` is the grant as the definition has it, such as `{"type": "points", "amount": 10}` (docs/contract.md §11).
    `key` is made of the cause, the definition and the threshold. A unit of work gives a grant with the same key once.

    The pipeline fills in the rest: the id of the client's event (None if there was none), the properties that `spec` may refer to,
    and the time at which the fact happened.
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
    """Something that was given. It is named by a code or, if it has none, by an id. `amount` is in points."""

    type: str
    name: str
    source: Source
    code: str | None = None
    id: UUID | None = None
    amount: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as an item of `rewards_granted`. The stored answer of an idempotent call has the same form."""
        reference = {"code": self.code} if self.id is None else {"id": str(self.id)}
        amount = {} if self.amount is None else {"amount": self.amount}
        return {"type": self.type, **reference, "name": self.name, **amount, "source": self.source.to_json()}


class GrantRefused(DomainError):
    """A grant cannot be given. Only the decision trace shows it: a refused grant never refuses the event."""


NOT_MATCHED = "not_matched"


@dataclass(frozen=True)
class TraceEntry:
    """A definition listened to a fact. `result` is one word for what happened; `note` is one more sentence, or a function for it.

    `conditions` returns the conditions with what they found (`expressions.condition_results`). The tracer calls these functions only
    if there is a trace, and `conditions` only while it has room: most changes of points are not traced.
    """

    source: Source
    result: str
    note: str | Callable[[], str] | None = None
    conditions: Callable[[], Sequence[Mapping[str, Any]]] = tuple


MAX_NOT_MATCHED = 10
"""Per fact, the trace lists so many definitions that listened and did not match. It only counts the others."""


@dataclass(frozen=True)
class TraceRest:
    """A number of further definitions listened and did not match. For consumers with many definitions."""

    definitions: int


@dataclass(frozen=True)
class UndoNote:
    """An event changed a row that carries no event id, such as a counter.

    The note is stored with the event under the name of the domain. `data` is JSON in the domain's own format; the domain's undoer
    uses it to reverse exactly this change.
    """

    domain: str
    data: Mapping[str, Any]


Outcome = Grant | GrantReport | TraceEntry | TraceRest | UndoNote
