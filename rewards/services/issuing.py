"""Gives a reward to a participant: one claim, one piece of the inventory, one code, and the payment in points.

The unit locks the participant first and then the reward.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from gamify.points.models import EntryType
from gamify.points.services import Note, debit
from gamify.tiers.selectors import current_tier, ladder_of
from participants.database import new_instance
from participants.engine import instant_text, plain_number
from participants.errors import NotFound
from participants.models import Participant
from participants.work import Load, UnitOfWork
from rewards.engine.offers import NoCodesAvailable, OutOfStock, check_open, check_stock
from rewards.models import Claim, ClaimStatus, Reward, RewardCode, RewardTally
from rewards.services.codes import assign_code, next_code, read_next_code
from rewards.services.multipliers import start_multiplier
from rewards.services.pending import (
    has_pending_claims,
    offer_of,
    read_pending,
    remember_pending_claim,
    remember_stock,
)


class RewardNotFound(NotFound):
    code = "reward_not_found"
    noun = "Reward"


def tally_load(reward_id: UUID) -> Load:
    """The load that a unit needs to hand out this reward."""
    return Load(RewardTally, "reward_id", (reward_id,))


def lock_reward(work: UnitOfWork, reward_id: UUID) -> Reward:
    """Lock a reward, read what waits for it, and remember its stock. Raises: RewardNotFound."""
    reward = work.lock(
        Reward, reward_id, also=read_pending(work.tenant, reward_id) | read_next_code(work.tenant, reward_id)
    )
    if reward is None:
        raise RewardNotFound(reward_id)
    remember_stock(work, reward)
    return reward


def check_eligibility(work: UnitOfWork, participant: Participant, reward: Reward) -> None:
    """Check that the participant may have the reward. Raises: RewardUnavailable, TierTooLow or MaxClaimsExceeded."""
    tier = current_tier(ladder_of(work.catalog), participant)
    tally = work.row(RewardTally, participant, reward.pk)
    check_open(
        offer_of(reward), now=work.now, tier_level=tier.level if tier else 0, claims=tally.claims if tally else 0
    )


def issue_claim(work: UnitOfWork, participant: Participant, reward: Reward, *, cost: int, **about: Any) -> Claim:
    """Give one piece of a locked reward to a participant for `cost` points. `about` are further columns of the claim.

    Raises: OutOfStock, NoCodesAvailable or InsufficientPoints, before anything is changed.
    """
    code = reserve_code(work, reward)
    claim = _new_claim(work, participant, reward, **about)
    if cost:
        note = Note(f"Reward {reward.name}", {"reward_id": str(reward.pk), "claim_id": str(claim.pk)}, claim.event_id)
        claim.entry_id = debit(work, participant, cost, note=note, kind=EntryType.CLAIM).pk
        claim.points_deducted = cost
    issue_stock(work, reward, claim, code)
    _add_claim(work, participant, reward, claim)
    start_multiplier(work, participant, reward, claim)
    participant.rewards_claimed += 1
    emit_claim_event(work, "reward.claimed", participant, claim)
    return claim


def _new_claim(work: UnitOfWork, participant: Participant, reward: Reward, **about: Any) -> Claim:
    return new_instance(
        Claim,
        tenant_id=work.tenant.id,
        participant_id=participant.id,
        reward_id=reward.pk,
        reward_name=reward.name,
        reward_type=reward.reward_type,
        status=ClaimStatus.CLAIMED,
        claimed_at=work.now,
        **about,
    )


def reserve_code(work: UnitOfWork, reward: Reward) -> RewardCode | None:
    """Return the code of the next piece; None if the reward has no codes. Changes nothing.

    Pieces that pending claims wait for are not available to later requests. Raises: OutOfStock or NoCodesAvailable.
    """
    check_stock(offer_of(reward))
    if has_pending_claims(work, reward):
        raise OutOfStock
    return next_code(reward, work=work)


def issue_stock(work: UnitOfWork, reward: Reward, claim: Claim, code: RewardCode | None) -> None:
    """Take one piece out of stock for `claim`, with the code that `reserve_code` returned."""
    reward.claimed += 1
    work.change(reward, "claimed")
    if code is not None:
        assign_code(work, reward, claim, code)


def _add_claim(work: UnitOfWork, participant: Participant, reward: Reward, claim: Claim) -> None:
    work.touch(participant)
    work.add(claim)
    tally = work.row(RewardTally, participant, reward.pk)
    if tally is None:
        about = {"tenant_id": work.tenant.id, "participant_id": participant.id, "reward_id": reward.pk}
        tally = new_instance(RewardTally, **about, claims=0)
        work.add(tally)
    tally.claims += 1
    work.change(tally, "claims")


def emit_claim_event(work: UnitOfWork, event: str, participant: Participant, claim: Claim, **more: Any) -> None:
    data = {
        "claim_id": str(claim.pk),
        "reward_id": str(claim.reward_id),
        "reward_name": claim.reward_name,
        "reward_type": claim.reward_type,
        "code_value": claim.code_value,
        "points_deducted": claim.points_deducted,
        "multiplier": claim.multiplier and plain_number(claim.multiplier),
        "active_until": claim.active_until and instant_text(claim.active_until),
    }
    work.emit(event, participant, {**data, **more})


def grant(
    work: UnitOfWork,
    participant: Participant,
    reward_id: UUID,
    *,
    source: Mapping[str, str],
    event_id: UUID | None,
) -> Claim:
    """Grant a reward for free, in a unit that has loaded `tally_load`. Without stock the claim is pending until stock comes.

    Raises: RewardNotFound, RewardUnavailable, TierTooLow or MaxClaimsExceeded.
    """
    reward = lock_reward(work, reward_id)
    check_eligibility(work, participant, reward)
    try:
        return issue_claim(work, participant, reward, cost=0, source=source, event_id=event_id)
    except (OutOfStock, NoCodesAvailable):
        claim = _new_claim(work, participant, reward, source=source, event_id=event_id)
        claim.status = ClaimStatus.PENDING
        remember_pending_claim(work, reward)
        _add_claim(work, participant, reward, claim)
        emit_claim_event(work, "reward.pending", participant, claim)
        return claim
