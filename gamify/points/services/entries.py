"""One change of one balance, whoever asked for it: a ledger entry, and the totals that go with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gamify.points import engine
from gamify.points.engine import Totals
from gamify.points.models import EntryType, LedgerEntry
from gamify.points.selectors import totals_of
from gamify.tiers import services as tiers
from gamify.tiers.selectors import points_of
from gamify.tiers.services import TierUpgrade
from participants.models import Participant
from participants.work import UnitOfWork


@dataclass(frozen=True)
class Note:
    """What is written beside an entry; `event_id` is the client's event that it came of, if any."""

    reason: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    event_id: UUID | None = None


@dataclass(frozen=True)
class Credited:
    entry: LedgerEntry
    upgrade: TierUpgrade | None


def credit(work: UnitOfWork, participant: Participant, amount: int, *, note: Note) -> Credited:
    """Award `amount` points, which may lead into a tier. Raises BalanceLimit, and has then changed nothing."""
    before, totals = points_of(participant), engine.credited(totals_of(participant), amount)
    entry = _write(work, participant, totals, kind=EntryType.AWARD, delta=amount, note=note)
    _emit(work, "points.awarded", participant, entry)
    return Credited(entry, tiers.evaluate(work, participant, before=before, entry_id=entry.id))


def debit(
    work: UnitOfWork, participant: Participant, amount: int, *, note: Note, kind: EntryType = EntryType.DEDUCT
) -> LedgerEntry:
    """Take `amount` points. Raises InsufficientPoints, and has then changed nothing."""
    totals = engine.debited(totals_of(participant), amount)
    entry = _write(work, participant, totals, kind=kind, delta=-amount, note=note)
    _emit(work, "points.deducted", participant, entry)
    return entry


def refund(work: UnitOfWork, participant: Participant, amount: int, *, note: Note, reverses_id: UUID) -> LedgerEntry:
    """Give back `amount` points that the entry `reverses_id` took."""
    totals = engine.refunded(totals_of(participant), amount)
    entry = _write(work, participant, totals, kind=EntryType.REFUND, delta=amount, note=note)
    entry.reverses_id = reverses_id
    _emit(work, "points.refunded", participant, entry)
    return entry


def _write(
    work: UnitOfWork, participant: Participant, totals: Totals, *, kind: EntryType, delta: int, note: Note
) -> LedgerEntry:
    """One entry, numbered under the participant's lock, and the totals it leads to."""
    work.touch(participant)
    participant.balance = totals.balance
    participant.total_earned = totals.earned
    participant.total_spent = totals.spent
    participant.total_expired = totals.expired
    participant.ledger_count += 1
    entry = LedgerEntry(
        tenant_id=work.tenant.pk,
        participant_id=participant.pk,
        number=participant.ledger_count,
        type=kind,
        delta=delta,
        balance_after=totals.balance,
        event_id=note.event_id,
        reason=note.reason,
        metadata=note.metadata,
        created_at=work.now,
    )
    work.add(entry)
    return entry


def _emit(work: UnitOfWork, name: str, participant: Participant, entry: LedgerEntry) -> None:
    data = {
        "transaction_id": str(entry.id),
        "amount": entry.amount,
        "new_balance": entry.balance_after,
        "reason": entry.reason,
        "metadata": entry.metadata,
    }
    work.emit(name, participant, data)
