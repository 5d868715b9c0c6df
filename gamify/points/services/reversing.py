"""Reversals: a new entry undoes an earlier one, once. Entries are never changed or deleted (docs/contract.md §6)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gamify.facts import services as facts
from gamify.facts.models import Event
from gamify.facts.services import Undone
from gamify.points import engine
from gamify.points.models import EntryType, LedgerEntry
from gamify.points.selectors import totals_of
from gamify.points.services.lots import expired_amount, restore, take_back
from gamify.points.services.writing import Note, emit_entry, write_entry
from participants.causes import CannotBeTakenBack, Kept, Undoing
from participants.errors import DomainError, NotFound
from participants.models import Participant, Tenant
from participants.registries import Registry
from participants.selectors import row_by_id
from participants.work import UnitOfWork, restartable, unit_of_work

REVERSIBLE = (EntryType.AWARD, EntryType.DEDUCT, EntryType.ADJUST)


class TransactionNotFound(NotFound):
    code = "transaction_not_found"
    noun = "Transaction"


class AlreadyReversed(DomainError):
    code = "already_reversed"

    def __init__(self) -> None:
        super().__init__("Transaction is reversed already")


class NotReversible(DomainError):
    code = "not_reversible"


@dataclass(frozen=True)
class ReversalResult:
    """The answer to the reversal of the entry `reversed_id`. `transaction_id` is None for a dry run."""

    transaction_id: UUID | None
    reversed_id: UUID
    participant_id: str
    amount: int
    delta: int
    new_balance: int
    reason: str | None


Undo = Callable[[UnitOfWork, Participant, LedgerEntry, Note], LedgerEntry]

undo_by_type: Registry[Undo] = Registry("Undo of an entry")
"""By type of entry, a function that undoes such an entry and what else belongs to it, such as a claim.

The domains that write such entries register it. It returns the new ledger entry that moves the points back.
"""


@restartable
def reverse(
    *, tenant: Tenant, transaction_id: str, reason: str | None, now: datetime, is_dry_run: bool = False
) -> ReversalResult:
    """Undo one entry. A dry run returns the same answer and writes nothing.

    Raises: TransactionNotFound, AlreadyReversed, NotReversible, InsufficientPoints if too much of it is spent.
    """
    entry = _find_entry(tenant, transaction_id)
    with unit_of_work(tenant, [entry.participant.external_id], now=now, is_dry_run=is_dry_run) as work:
        participant = work.find(entry.participant.external_id)
        if participant is None or participant.pk != entry.participant_id:
            raise TransactionNotFound(transaction_id)  # erased after the entry was found
        undone = _undo(work, participant, entry, Note(reason))
        facts.publish_changes(work, participant, now=now)
        return ReversalResult(
            transaction_id=None if is_dry_run else undone.pk,
            reversed_id=entry.pk,
            participant_id=participant.external_id,
            amount=undone.amount,
            delta=undone.delta,
            new_balance=participant.balance,
            reason=reason,
        )


def _find_entry(tenant: Tenant, transaction_id: str) -> LedgerEntry:
    entries = LedgerEntry.objects.filter(tenant_id=tenant.pk).select_related("participant")
    entry = row_by_id(entries, transaction_id)
    if entry is None:
        raise TransactionNotFound(transaction_id)
    return entry


def _undo(work: UnitOfWork, participant: Participant, entry: LedgerEntry, note: Note) -> LedgerEntry:
    if entry.type in undo_by_type:
        return undo_by_type[entry.type](work, participant, entry, note)
    if entry.type not in REVERSIBLE:
        raise NotReversible(f"An entry of type '{entry.type}' cannot be reversed")
    if is_reversed(participant, entry):
        raise AlreadyReversed
    if entry.delta < 0:
        return _restore(work, participant, entry, note)
    return _take_back_fully(work, participant, entry, note)


def _take_back_fully(work: UnitOfWork, participant: Participant, entry: LedgerEntry, note: Note) -> LedgerEntry:
    amount = _left_to_take(work, participant, entry)
    if amount > participant.balance:
        raise engine.InsufficientPoints(available=participant.balance, requested=amount)
    if not amount:
        raise NotReversible("All of it has expired")
    return _take_back(work, participant, entry, note, amount=amount)


def is_reversible(entry: LedgerEntry) -> bool:
    """Whether entries of this type can be undone, and this one has not been."""
    kinds = {*REVERSIBLE, *undo_by_type}
    return entry.type in kinds and not is_reversed(entry.participant, entry)


def is_reversed(participant: Participant, entry: LedgerEntry) -> bool:
    return LedgerEntry.objects.of(participant).filter(reverses_id=entry.pk).exists()


def _left_to_take(work: UnitOfWork, participant: Participant, entry: LedgerEntry) -> int:
    """The points that `entry` credited, without those that have expired: the balance does not hold these any more."""
    return entry.delta - expired_amount(work, participant, entry)


def _restore(work: UnitOfWork, participant: Participant, entry: LedgerEntry, note: Note) -> LedgerEntry:
    totals, amount = totals_of(participant), -entry.delta
    is_spending = entry.type == EntryType.DEDUCT
    after = engine.after_refund(totals, amount) if is_spending else engine.after_credit(totals, amount)
    undone = write_entry(
        work, participant, after, kind=EntryType.REVERSAL, note=note, reverses_id=entry.pk, is_seen=False
    )
    restore(work, participant, entry.used)
    _emit_reversal(work, participant, entry, undone)
    return undone


def _take_back(
    work: UnitOfWork, participant: Participant, entry: LedgerEntry, note: Note, *, amount: int
) -> LedgerEntry:
    totals = engine.after_adjustment(totals_of(participant), -amount)
    columns = {"used": take_back(work, participant, entry, amount), "reverses_id": entry.pk}
    undone = write_entry(work, participant, totals, kind=EntryType.REVERSAL, note=note, is_seen=False, **columns)
    _emit_reversal(work, participant, entry, undone)
    return undone


def _emit_reversal(work: UnitOfWork, participant: Participant, entry: LedgerEntry, undone: LedgerEntry) -> None:
    about = {"reverses": str(entry.pk), "reversed_type": entry.type, "reversed_at": entry.created_at.isoformat()}
    emit_entry(work, "points.reversed", participant, undone, **about)


# --- undo for a cause -------------------------------------------------------------------------------------------------


class PointsStay(CannotBeTakenBack):
    """Too much of what an entry credited is spent."""

    code = "points_stay"

    def __init__(self, *, left: int, wanted: int) -> None:
        super().__init__(f"{wanted:,} points would be taken back, but the participant has only {left:,} left")


def take_back_entry(undoing: Undoing) -> Sequence[Kept]:
    """Reverse one entry. Raises: PointsStay, and what else `reverse` raises."""
    try:
        reverse(tenant=undoing.tenant, transaction_id=str(undoing.row_id), reason=undoing.reason, now=undoing.now)
    except engine.InsufficientPoints as refusal:
        raise PointsStay(left=refusal.available, wanted=refusal.requested) from refusal
    return ()


# --- reversal of an event ------------------------------------------------------------------------------------------------


def undo_event(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Take back the awards of the event, the newest first, as far as points are left. Awards already reversed are skipped."""
    entries = LedgerEntry.objects.of(participant)
    awards = entries.filter(event_id=event.pk, type=EntryType.AWARD).newest_first()
    undone = set(entries.filter(reverses_id__in=[entry.pk for entry in awards]).values_list("reverses_id", flat=True))
    for entry in awards:
        if entry.pk not in undone:
            yield _undo_award(work, participant, entry, Note(event.reversal["reason"], event_id=event.pk))


def _undo_award(work: UnitOfWork, participant: Participant, entry: LedgerEntry, note: Note) -> Undone:
    wanted = _left_to_take(work, participant, entry)
    amount = min(wanted, participant.balance)
    if amount:
        _take_back(work, participant, entry, note, amount=amount)
    return Undone(type="points", name="Points", id=entry.pk, amount=amount, shortfall=wanted - amount or None)
