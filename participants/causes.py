"""How the domains take back what an actor wrote (docs/decisions/0032). Each domain registers its tables; `gamify_project.undo` walks them."""

from collections.abc import Callable, Sequence
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
    """The row to take back. `is_consequence`: a definition gave it because of what the cause wrote."""

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
    """

    model: type[Any]
    at: str
    undo: Callable[[Undoing], Sequence[Kept]]
    only: Q = field(default_factory=Q)
    is_of_event: bool = True
    comes_last: Callable[[Any], bool] = lambda row: False

    def rows(self, tenant: Tenant) -> "QuerySet[Any]":
        """Return the rows of the tenant that can be taken back."""
        rows: QuerySet[Any] = self.model._default_manager.filter(self.only, tenant_id=tenant.pk)
        return rows


cause_tables: Registry[CauseTable] = Registry("Cause table")
"""By the type that reports use: `points`, `badge` and so on."""

irreversible_events: Registry[str] = Registry("Irreversible domain event")
"""Types of domain events for changes that no table of `cause_tables` has, with the reason why they cannot be taken back."""
