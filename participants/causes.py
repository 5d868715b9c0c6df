"""How the domains take back what an actor wrote (docs/decisions/0032). Each domain registers its tables; `gamify_project.undo` walks them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from participants.errors import DomainError
from participants.models import Tenant
from participants.registries import Registry


@dataclass(frozen=True)
class Undoing:
    """The row to take back. `is_consequence`: a definition gave it, perhaps because of what the cause wrote."""

    tenant: Tenant
    row_id: UUID
    reason: str | None
    now: datetime
    is_consequence: bool = False


@dataclass(frozen=True)
class Kept:
    """Something of a row that was not taken back, named by its type and an id, and why."""

    type: str
    id: UUID
    reason: str


@dataclass(frozen=True)
class Dependent:
    """A row of another cause that may depend on what the cause wrote. `obstacle`: why that cannot be decided; None if it can."""

    participant_id: UUID
    row_id: UUID
    obstacle: str | None = None


@dataclass(frozen=True)
class Affected:
    """Participants of whom an undo will take something back that was written since then. It has not begun yet."""

    tenant: Tenant
    participant_ids: Collection[UUID]
    since: datetime
    now: datetime


def _no_dependents(affected: Affected) -> Iterable[Dependent]:
    return ()


class CannotBeTakenBack(DomainError):
    """A row stays as it is; the message says why. It is only in reports of undos, never an answer of its own."""

    code = "cannot_be_taken_back"


@dataclass(frozen=True)
class CauseTable:
    """A table whose rows name their actor and can be taken back one by one. Their ids are ordered by time.

    - `only`: the condition for its rows, if some of them belong to a row of another table and are taken back with it.
    - `at`: the column with the time of the unit of work that wrote the row.
    - `undo(undoing)`: take back one row in a unit of work, and return what of it stays. Raises a DomainError if it cannot be taken
      back; its message says why. Nothing is changed then.
    - `is_of_event`: whether a row with an `event_id` is taken back together with that event.
    - `comes_last(row)`: whether a row that is a consequence is taken back after everything else of its participant.
    - `dependents(affected)`: find rows of other causes to check last. `undo` gets them as consequences, and refuses those that stay.
    """

    model: type[Any]
    at: str
    undo: Callable[[Undoing], Sequence[Kept]]
    only: Q = field(default_factory=Q)
    is_of_event: bool = True
    comes_last: Callable[[Any], bool] = lambda row: False
    dependents: Callable[[Affected], Iterable[Dependent]] = _no_dependents

    def rows(self, tenant: Tenant) -> "QuerySet[Any]":
        """Return the rows of the tenant that can be taken back."""
        rows: QuerySet[Any] = self.model._default_manager.filter(self.only, tenant_id=tenant.pk)
        return rows


cause_tables: Registry[CauseTable] = Registry("Cause table")
"""By the type that reports use: `points`, `badge` and so on."""

irreversible_events: Registry[str] = Registry("Irreversible domain event")
"""Types of domain events for changes that no table of `cause_tables` has, with the reason why they cannot be taken back."""
