"""Rows of the ledger as audits read them."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID


class Entry(NamedTuple):
    """A ledger entry."""

    participant_id: UUID
    id: UUID
    number: int
    type: str
    delta: int
    balance_after: int
    base_amount: int | None
    multiplier: Decimal | None
    expires_at: datetime | None
    used: dict[str, int] | None
    reverses_id: UUID | None
    created_at: datetime


class UndoneEntry(NamedTuple):
    """An entry that another entry reverses."""

    id: UUID
    participant_id: UUID
    number: int
    type: str
    delta: int
    used: dict[str, int] | None
