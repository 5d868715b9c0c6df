"""Deductions of points."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gamify.facts import services as facts
from gamify.points.services.changes import Change
from gamify.points.services.entries import debit
from participants.models import Tenant
from participants.work import answer_from, restartable, result_from, unit_of_work

DEDUCT = "points.deduct"


@dataclass(frozen=True)
class DeductionResult:
    transaction_id: UUID
    participant_id: str
    amount: int
    new_balance: int
    is_replay: bool = False


@restartable
def deduct(*, tenant: Tenant, change: Change, now: datetime) -> DeductionResult:
    """Debit one participant. Raises: InsufficientPoints, IdempotencyKeyReused."""
    idempotency = change.idempotency(DEDUCT)
    with unit_of_work(tenant, [change.participant_id], now=now, idempotency_requests=[idempotency]) as work:
        if (answer := work.stored_answer(idempotency)) is not None:
            return result_from(DeductionResult, answer, participant_id=change.participant_id)
        participant = work.participant(change.participant_id)
        entry = debit(work, participant, change.amount, note=change.note)
        facts.publish_changes(work, participant, now=now)
        deducted = DeductionResult(entry.id, change.participant_id, change.amount, participant.balance)
        work.store_answer(idempotency, answer_from(deducted))
        return deducted
