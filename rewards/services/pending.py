"""The queue of pending claims of a reward, in the order of their grants.

Pending claims are served before any later request. The reward is locked, so the queue cannot change meanwhile.
"""

from collections.abc import Hashable, Sequence
from uuid import UUID

from participants.database import Query, Read, Slot
from participants.models import Tenant
from participants.work import UnitOfWork
from rewards.engine.offers import Offer, pieces_left
from rewards.models import Claim, ClaimStatus, Reward


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
    work.cache[_key(reward.pk)] = True


def read_pending(tenant: Tenant, reward_id: UUID) -> dict[Hashable, Read]:
    """The read of the first pending claim, for `has_pending_claims`. It must be executed behind the lock of the reward."""
    values = {"tenant": tenant.pk, "reward": reward_id}
    return {_key(reward_id): lambda connection: _FIRST_PENDING.execute(connection, values)}


def _key(reward_id: UUID) -> Hashable:
    return "rewards.is_awaited", reward_id


_FIRST_PENDING = Query(
    lambda: (
        Claim.objects.filter(
            tenant=Slot("tenant", Reward._meta.get_field("tenant")),
            reward=Slot("reward", Reward._meta.pk),
            status=ClaimStatus.PENDING,
        )
        .only("id")
        .order_by("pk")[:1]
    )
)


def has_pending_claims(work: UnitOfWork, reward: Reward) -> bool:
    """Whether the reward, which `lock_reward` locked, has pending claims. A reward that a dry run assumes has none at first."""
    return bool(work.cache.get(_key(reward.pk)))


def next_pending_claims(work: UnitOfWork, reward: Reward, *, limit: int) -> Sequence[Claim]:
    """The first claims of the queue, with their participants: at most `limit`, and at most as many as there are pieces."""
    left = pieces_left(offer_of(reward))
    closing = [claim.pk for claim in work.locked_rows(Claim)]  # this unit closes them, but has not written them yet
    pending = Claim.objects.pending_for(reward).exclude(pk__in=closing).select_related("participant")
    return list(pending[: limit if left is None else min(left, limit)])
