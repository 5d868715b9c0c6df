"""The queue of pending claims of a reward, in the order of their grants.

Pending claims are served before any later request. The reward is locked, so the queue cannot change meanwhile.
"""

from collections.abc import Sequence

from participants.work import UnitOfWork
from rewards.engine.offers import Offer, pieces_left
from rewards.models import Claim, Reward


def offer_of(reward: Reward) -> Offer:
    return Offer(
        is_active=reward.is_active,
        starts_at=reward.starts_at,
        expires_at=reward.expires_at,
        min_tier_level=reward.min_tier_level,
        max_claims=reward.max_claims_per_user,
        inventory=reward.total_inventory,
        claimed=reward.claimed,
        free_codes=reward.available_codes,
    )


def remember_stock(work: UnitOfWork, reward: Reward) -> None:
    """Remember how many pieces are left when the unit locks the reward, for `has_new_stock`."""
    work.cache.setdefault(("rewards.pieces", reward.pk), pieces_left(offer_of(reward)))


def mark_stock_served(work: UnitOfWork, reward: Reward) -> None:
    """Note that pending claims were served: the pieces that are left are no longer new."""
    work.cache["rewards.pieces", reward.pk] = pieces_left(offer_of(reward))


def has_new_stock(work: UnitOfWork, reward: Reward) -> bool:
    """Whether this unit brought pieces for which no pending claim was served yet."""
    before, after = work.cache["rewards.pieces", reward.pk], pieces_left(offer_of(reward))
    return before is not None and (after is None or after > before)


def remember_pending_claim(work: UnitOfWork, reward: Reward) -> None:
    """Remember that this unit adds a claim to the queue."""
    work.cache["rewards.is_awaited", reward.pk] = True


def has_pending_claims(work: UnitOfWork, reward: Reward) -> bool:
    """Whether the reward has pending claims. One query per unit."""
    key = "rewards.is_awaited", reward.pk
    if key not in work.cache:
        work.cache[key] = Claim.objects.pending_for(reward).exists()
    return bool(work.cache[key])


def next_pending_claims(work: UnitOfWork, reward: Reward, *, limit: int) -> Sequence[Claim]:
    """The first claims of the queue, with their participants: at most `limit`, and at most as many as there are pieces."""
    left = pieces_left(offer_of(reward))
    closing = [claim.pk for claim in work.locked_rows(Claim)]  # this unit closes them, but has not written them yet
    pending = Claim.objects.pending_for(reward).exclude(pk__in=closing).select_related("participant")
    return list(pending[: limit if left is None else min(left, limit)])
