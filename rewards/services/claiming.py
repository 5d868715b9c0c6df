"""Participants claim rewards, for points or for free."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gamify.facts import services as facts
from participants.engine import uuid_of
from participants.models import Tenant
from participants.work import IdempotencyRequest, UnitOfWork, answer_from, restartable, result_from, unit_of_work
from rewards.services.issuing import RewardNotFound, check_eligibility, issue_claim, lock_reward, tally_load

CLAIM_OPERATION = "rewards.claim"


@dataclass(frozen=True)
class RewardClaimed:
    claim_id: UUID
    participant_id: str
    reward_name: str
    reward_type: str
    code_value: str | None
    points_deducted: int
    new_balance: int
    is_replay: bool = False


@restartable
def claim(
    *,
    tenant: Tenant,
    reward_id: str,
    participant_id: str,
    deducts_points: bool = False,
    key: str | None = None,
    now: datetime,
) -> RewardClaimed:
    """Claim a reward for a participant, who is created if unknown. Its price is deducted only if `deducts_points`.

    Raises, in this order: RewardNotFound, RewardUnavailable, TierTooLow, MaxClaimsExceeded, OutOfStock, NoCodesAvailable,
    InsufficientPoints; or IdempotencyKeyReused.
    """
    known = uuid_of(reward_id)
    if known is None:
        raise RewardNotFound(reward_id)
    idempotency = (
        IdempotencyRequest(CLAIM_OPERATION, key, digest=str(known), external_id=participant_id) if key else None
    )
    with unit_of_work(
        tenant, [participant_id], now=now, idempotency_requests=[idempotency], loads=[tally_load(known)]
    ) as work:
        if (answer := work.stored_answer(idempotency)) is not None:
            return result_from(RewardClaimed, answer, participant_id=participant_id)
        claimed = claim_in_unit(work, known, participant_id, deducts_points=deducts_points)
        work.store_answer(idempotency, answer_from(claimed))
        return claimed


def claim_in_unit(work: UnitOfWork, reward_id: UUID, participant_id: str, *, deducts_points: bool) -> RewardClaimed:
    """Claim a reward in a unit that has loaded `tally_load` of it. Raises: what `claim` raises, before it has changed anything."""
    reward, participant = lock_reward(work, reward_id), work.participant(participant_id)
    check_eligibility(work, participant, reward)
    row = issue_claim(work, participant, reward, cost=reward.points_cost if deducts_points else 0)
    facts.publish_changes(work, participant, now=work.now)
    return RewardClaimed(
        claim_id=row.pk,
        participant_id=participant_id,
        reward_name=row.reward_name,
        reward_type=row.reward_type,
        code_value=row.code_value,
        points_deducted=row.points_deducted,
        new_balance=participant.balance,
    )
