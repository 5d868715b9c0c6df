"""Points are awarded and deducted here, alone or in batches; both are the same code in one unit of work."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.crypto import salted_hmac

from gamify.points import engine
from gamify.points.engine import Totals
from gamify.points.models import EntryType, LedgerEntry
from gamify.points.selectors import totals_of
from gamify.tiers import services as tiers
from gamify.tiers.selectors import points_of
from gamify.tiers.services import TierUpgrade
from participants import events
from participants.errors import DomainError
from participants.models import Participant, Tenant
from participants.services.participants import Eraser, erasers
from participants.work import Once, UnitOfWork, restartable, unit_of_work

MIN_AWARD = 1
MAX_AWARD = 1_000_000

AWARD = "points.award"
DEDUCT = "points.deduct"
AWARD_BATCH = "points.award-batch"


@dataclass(frozen=True)
class Change:
    """What a client asks of one participant's balance: `amount` points, awarded or deducted by the service called."""

    participant_id: str
    amount: int
    reason: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None

    def once(self, operation: str) -> Once | None:
        if self.idempotency_key is None:
            return None
        return Once(operation, self.idempotency_key, digest=str(self.amount), external_id=self.participant_id)


@dataclass(frozen=True)
class PointsAwarded:
    transaction_id: UUID
    participant_id: str
    amount: int
    new_balance: int
    tier_upgrade: TierUpgrade | None = None
    badges_unlocked: Sequence[Mapping[str, str]] = ()
    is_replay: bool = False


@dataclass(frozen=True)
class PointsDeducted:
    transaction_id: UUID
    participant_id: str
    amount: int
    new_balance: int
    is_replay: bool = False


@dataclass(frozen=True)
class AwardRefused:
    """An item of a batch that failed on its own; the others stand."""

    participant_id: str
    error: DomainError


@dataclass(frozen=True)
class BatchAwarded:
    """One result per item, in the order of the request."""

    results: Sequence[PointsAwarded | AwardRefused]
    is_replay: bool = False

    @property
    def processed(self) -> int:
        return sum(isinstance(result, PointsAwarded) for result in self.results)

    @property
    def failed(self) -> int:
        return len(self.results) - self.processed


@restartable
def award(*, tenant: Tenant, change: Change, now: datetime) -> PointsAwarded:
    """Credit one participant. Raises BalanceLimit or IdempotencyKeyReused."""
    with unit_of_work(tenant, [change.participant_id], now=now, onces=[change.once(AWARD)]) as work:
        return _award(work, change)


@restartable
def deduct(*, tenant: Tenant, change: Change, now: datetime) -> PointsDeducted:
    """Debit one participant. Raises InsufficientPoints or IdempotencyKeyReused."""
    with unit_of_work(tenant, [change.participant_id], now=now, onces=[change.once(DEDUCT)]) as work:
        return _deduct(work, change)


@restartable
def award_batch(
    *,
    tenant: Tenant,
    changes: Sequence[Change],
    refused: Mapping[int, DomainError],
    key: str | None,
    now: datetime,
) -> BatchAwarded:
    """Credit many; each item succeeds or fails on its own. `refused` are items (by index) already turned away.

    `key` is the idempotency key of the batch as a whole. Raises IdempotencyKeyReused.
    """
    once = Once(AWARD_BATCH, key, digest=_batch_digest(changes), external_id=None) if key else None
    onces = [once, *(change.once(AWARD) for change in changes)]
    with unit_of_work(tenant, [change.participant_id for change in changes], now=now, onces=onces) as work:
        if (answer := work.replayed(once)) is not None:
            return _batch_from_answer(answer, changes)
        batch = BatchAwarded([_attempt(work, change, refused.get(index)) for index, change in enumerate(changes)])
        if batch.processed:
            work.remember(once, [_item_answer(result) for result in batch.results])
        return batch


def _batch_digest(changes: Sequence[Change]) -> str:
    """Keyed with the product's secret: it outlives participants, and must not let anyone guess who they were."""
    asked = json.dumps([[change.participant_id, change.amount] for change in changes])
    return salted_hmac(AWARD_BATCH, asked, algorithm="sha256").hexdigest()


def _attempt(work: UnitOfWork, change: Change, refusal: DomainError | None) -> PointsAwarded | AwardRefused:
    if refusal is not None:
        return AwardRefused(change.participant_id, refusal)
    try:
        return _award(work, change)
    except DomainError as error:
        return AwardRefused(change.participant_id, error)


def _award(work: UnitOfWork, change: Change) -> PointsAwarded:
    once = change.once(AWARD)
    if (answer := work.replayed(once)) is not None:
        return _award_from_answer(answer, change.participant_id)
    participant = work.participant(change.participant_id)
    before, totals = points_of(participant), engine.credited(totals_of(participant), change.amount)
    entry = _write(work, participant, totals, kind=EntryType.AWARD, delta=change.amount, change=change)
    _emit(work, "points.awarded", participant, entry)
    upgrade = tiers.evaluate(work, participant, before=before, entry_id=entry.id)
    awarded = PointsAwarded(entry.id, change.participant_id, change.amount, entry.balance_after, upgrade)
    work.remember(once, _award_answer(awarded))
    return awarded


def _deduct(work: UnitOfWork, change: Change) -> PointsDeducted:
    once = change.once(DEDUCT)
    if (answer := work.replayed(once)) is not None:
        return PointsDeducted(**_read(answer), participant_id=change.participant_id, is_replay=True)
    participant = work.participant(change.participant_id)
    totals = engine.debited(totals_of(participant), change.amount)
    entry = _write(work, participant, totals, kind=EntryType.DEDUCT, delta=-change.amount, change=change)
    _emit(work, "points.deducted", participant, entry)
    deducted = PointsDeducted(entry.id, change.participant_id, change.amount, entry.balance_after)
    work.remember(once, {"transaction_id": str(entry.id), "amount": change.amount, "new_balance": entry.balance_after})
    return deducted


def _write(
    work: UnitOfWork, participant: Participant, totals: Totals, *, kind: EntryType, delta: int, change: Change
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
        reason=change.reason,
        metadata=change.metadata,
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


def _award_answer(awarded: PointsAwarded) -> dict[str, Any]:
    upgrade = awarded.tier_upgrade
    return {
        "transaction_id": str(awarded.transaction_id),
        "amount": awarded.amount,
        "new_balance": awarded.new_balance,
        "tier_upgrade": None if upgrade is None else upgrade.__dict__,
        "badges_unlocked": list(awarded.badges_unlocked),
    }


def _award_from_answer(answer: Mapping[str, Any], participant_id: str) -> PointsAwarded:
    upgrade = answer["tier_upgrade"]
    awarded = PointsAwarded(**_read(answer), participant_id=participant_id, is_replay=True)
    return replace(awarded, tier_upgrade=None if upgrade is None else TierUpgrade(**upgrade))


def _read(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {**answer, "transaction_id": UUID(answer["transaction_id"])}


def _item_answer(result: PointsAwarded | AwardRefused) -> dict[str, Any]:
    if isinstance(result, PointsAwarded):
        return _award_answer(result)
    return {"error": {"code": result.error.code, "message": result.error.message, "status": result.error.status}}


def _batch_from_answer(answer: Sequence[Mapping[str, Any]], changes: Sequence[Change]) -> BatchAwarded:
    results = [_item_from_answer(item, change) for item, change in zip(answer, changes, strict=True)]
    return BatchAwarded(results, is_replay=True)


def _item_from_answer(item: Mapping[str, Any], change: Change) -> PointsAwarded | AwardRefused:
    if error := item.get("error"):
        refusal = DomainError(error["message"], code=error["code"], status=error["status"])
        return AwardRefused(change.participant_id, refusal)
    return _award_from_answer(item, change.participant_id)


def _delete_entries(participant: Participant) -> None:
    LedgerEntry.objects.of(participant).delete()


def _clear_words(participant: Participant) -> None:
    """Anonymising keeps every entry and its sums, but not what was written beside them."""
    LedgerEntry.objects.of(participant).update(reason=None, metadata={})


def register() -> None:
    """Called once the apps are loaded."""
    erasers.register("points", Eraser(delete=_delete_entries, anonymize=_clear_words))
    moved = {
        "transaction_id": "Id of the ledger entry.",
        "amount": "Points moved, positive.",
        "new_balance": "Balance after it.",
        "reason": "Text given with the request, or null.",
        "metadata": "Object given with the request.",
    }
    events.register("points.awarded", "Points were credited.", moved)
    events.register("points.deducted", "Points were spent.", moved)
