"""Writing of ledger entries. Each is numbered under its participant's lock and updates the totals on the participant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gamify.points.engine import Totals
from gamify.points.models import EntryType, LedgerEntry
from participants.database import new_instance
from participants.models import Participant
from participants.work import UnitOfWork


@dataclass(frozen=True)
class Note:
    """The reason and metadata of an entry. `event_id` is the client's event that caused it, if any."""

    reason: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    event_id: UUID | None = None


def write_entry(
    work: UnitOfWork,
    participant: Participant,
    totals: Totals,
    *,
    kind: EntryType,
    note: Note,
    is_seen: bool = True,
    **columns: Any,
) -> LedgerEntry:
    """Set the participant's totals to `totals`, and add the entry that moves the balance there.

    `is_seen` says whether this counts as activity of the participant. `columns` are further columns of the entry.
    """
    delta = totals.balance - participant.balance
    work.touch(participant, is_seen=is_seen)
    _set_totals(participant, totals)
    participant.ledger_count += 1
    entry = new_instance(
        LedgerEntry,
        tenant_id=work.tenant.id,
        participant_id=participant.id,
        number=participant.ledger_count,
        type=kind,
        delta=delta,
        balance_after=totals.balance,
        event_id=note.event_id,
        reason=note.reason,
        metadata=note.metadata,
        created_at=work.now,
        **columns,
    )
    work.add(entry)
    return entry


def _set_totals(participant: Participant, totals: Totals) -> None:
    participant.balance = totals.balance
    participant.total_earned = totals.earned
    participant.total_spent = totals.spent
    participant.total_expired = totals.expired


def emit_entry(work: UnitOfWork, name: str, participant: Participant, entry: LedgerEntry, **more: Any) -> None:
    """Emit the domain event `name` with the fields of the entry and `more`."""
    data = {
        "transaction_id": str(entry.id),
        "amount": entry.amount,
        "delta": entry.delta,
        "new_balance": entry.balance_after,
        "reason": entry.reason,
        "metadata": entry.metadata,
    }
    work.emit(name, participant, data | more)
