"""The changes of a balance, for use inside a unit of work. Each writes one ledger entry and emits its domain event."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.points import engine
from gamify.points.models import EntryType, LedgerEntry
from gamify.points.selectors import totals_of
from gamify.points.services.lots import add_expiring_credit, restore, spend
from gamify.points.services.multiplying import multiplier_of
from gamify.points.services.writing import Note, emit_entry, write_entry
from gamify.tiers import services as tiers
from gamify.tiers.selectors import points_of
from gamify.tiers.services import TierUpgrade
from participants.engine import plain_number
from participants.models import Participant
from participants.work import UnitOfWork


@dataclass(frozen=True)
class CreditResult:
    """The ledger entry, and the tier upgrade that it led to. `entry.delta` includes multipliers."""

    entry: LedgerEntry
    upgrade: TierUpgrade | None


def credit(
    work: UnitOfWork,
    participant: Participant,
    amount: int,
    *,
    note: Note,
    at: datetime | None = None,
    expires_at: datetime | None = None,
) -> CreditResult:
    """Award `amount` points times the multiplier in force, and evaluate tiers.

    `at` is when the activity happened that earned the points; its multipliers apply (default: now). Points that are not
    spent by `expires_at` expire.

    Raises: BalanceLimit. Nothing is changed then.
    """
    multiplier = multiplier_of(work, participant, at=at or work.now)
    total = amount if multiplier is None else engine.multiply(amount, multiplier)
    before, totals = points_of(participant), engine.after_credit(totals_of(participant), total)
    columns: dict[str, Any] = {} if multiplier is None else {"base_amount": amount, "multiplier": multiplier}
    entry = write_entry(work, participant, totals, kind=EntryType.AWARD, note=note, expires_at=expires_at, **columns)
    if expires_at is not None:
        add_expiring_credit(work, participant, entry, expires_at=expires_at)
    emit_entry(work, "points.awarded", participant, entry, **_multiplier_fields(entry), **_expiry_field(expires_at))
    return CreditResult(entry, tiers.evaluate(work, participant, before=before, entry_id=entry.id))


def _multiplier_fields(entry: LedgerEntry) -> dict[str, Any]:
    if entry.multiplier is None:
        return {}
    return {"base_amount": entry.base_amount, "multiplier": plain_number(entry.multiplier)}


def _expiry_field(expires_at: datetime | None) -> dict[str, str]:
    return {} if expires_at is None else {"expires_at": expires_at.isoformat()}


def debit(
    work: UnitOfWork, participant: Participant, amount: int, *, note: Note, kind: EntryType = EntryType.DEDUCT
) -> LedgerEntry:
    """Take `amount` points, from the credit that expires first onwards.

    Raises: InsufficientPoints. Nothing is changed then.
    """
    totals = engine.after_debit(totals_of(participant), amount)
    used = spend(work, participant, amount)
    entry = write_entry(work, participant, totals, kind=kind, note=note, used=used)
    emit_entry(work, "points.deducted", participant, entry)
    return entry


def refund(work: UnitOfWork, participant: Participant, amount: int, *, note: Note, reverses_id: UUID) -> LedgerEntry:
    """Give back `amount` points that the entry `reverses_id` took, to the credits that it took them from."""
    taken = LedgerEntry.objects.of(participant).filter(pk=reverses_id).first()
    totals = engine.after_refund(totals_of(participant), amount)
    entry = write_entry(
        work, participant, totals, kind=EntryType.REFUND, note=note, reverses_id=reverses_id, is_seen=False
    )
    restore(work, participant, taken.used if taken else None)
    emit_entry(work, "points.refunded", participant, entry)
    return entry


def adjust(work: UnitOfWork, participant: Participant, delta: int, *, note: Note) -> LedgerEntry:
    """Correct the earned points by `delta` (not 0). Tiers are not evaluated.

    Raises: InsufficientPoints, BalanceLimit. Nothing is changed then.
    """
    totals = engine.after_adjustment(totals_of(participant), delta)
    used = spend(work, participant, -delta) if delta < 0 else None
    entry = write_entry(work, participant, totals, kind=EntryType.ADJUST, note=note, used=used)
    emit_entry(work, "points.adjusted", participant, entry)
    return entry
