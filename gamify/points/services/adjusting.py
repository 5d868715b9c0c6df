"""Corrections of balances by staff."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gamify.facts import services as facts
from gamify.points.services.entries import adjust as adjust_balance
from gamify.points.services.limiting import DailyLimit
from gamify.points.services.writing import Note
from participants.models import Tenant
from participants.work import IdempotencyRequest, answer_from, restartable, result_from, unit_of_work

ADJUST = "points.adjust"


@dataclass(frozen=True)
class AdjustmentResult:
    transaction_id: UUID
    participant_id: str
    delta: int
    new_balance: int
    is_replay: bool = False


@restartable
def adjust(
    *,
    tenant: Tenant,
    participant_id: str,
    delta: int,
    reason: str,
    idempotency_key: str | None = None,
    limit: DailyLimit | None = None,
    now: datetime,
) -> AdjustmentResult:
    """Change a balance and the points ever earned by `delta` (not 0). No multiplier applies, and no tier is evaluated.

    `limit` restricts what the actor may adjust in one day.

    Raises: InsufficientPoints, BalanceLimit, IdempotencyKeyReused, DailyLimitReached.
    """
    key = idempotency_key
    idempotency = IdempotencyRequest(ADJUST, key, digest=str(delta), external_id=participant_id) if key else None
    with unit_of_work(tenant, [participant_id], now=now, idempotency_requests=[idempotency]) as work:
        if (answer := work.stored_answer(idempotency)) is not None:
            return result_from(AdjustmentResult, answer, participant_id=participant_id)
        if limit is not None:
            limit.check(tenant, delta, now=now)
        participant = work.participant(participant_id)
        entry = adjust_balance(work, participant, delta, note=Note(reason))
        facts.publish_changes(work, participant, now=now)
        adjusted = AdjustmentResult(entry.id, participant_id, delta, participant.balance)
        work.store_answer(idempotency, answer_from(adjusted))
        return adjusted
