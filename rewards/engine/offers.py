"""Whether a participant may have a reward, and which refusal comes first (docs/contract.md §13)."""

from dataclasses import dataclass
from datetime import datetime

from participants.engine import is_in_period
from participants.errors import DomainError


class RewardUnavailable(DomainError):
    """The reward is inactive, or outside its dates."""

    code = "reward_unavailable"

    def __init__(self) -> None:
        super().__init__("Reward is not available")


class TierTooLow(DomainError):
    code = "tier_too_low"

    def __init__(self, *, required: int) -> None:
        super().__init__(f"Reward requires a tier of level {required} or higher")


class MaxClaimsExceeded(DomainError):
    code = "max_claims_exceeded"

    def __init__(self) -> None:
        super().__init__("Maximum claims per participant exceeded")


class OutOfStock(DomainError):
    code = "out_of_stock"

    def __init__(self) -> None:
        super().__init__("Reward is out of stock")


class NoCodesAvailable(DomainError):
    code = "no_codes_available"

    def __init__(self) -> None:
        super().__init__("No available reward codes")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The state of a reward at one moment. None means no limit; `free_codes` is None if it has no codes."""

    is_active: bool
    starts_at: datetime | None
    expires_at: datetime | None
    min_tier_level: int | None
    max_claims: int | None
    inventory: int | None
    claimed: int
    free_codes: int | None


def check_open(offer: Offer, *, now: datetime, tier_level: int, claims: int) -> None:
    """Check that the reward is available to the participant. Raises, in this order: RewardUnavailable, TierTooLow, MaxClaimsExceeded."""
    if not offer.is_active or not is_in_period(now, offer.starts_at, offer.expires_at):
        raise RewardUnavailable
    if offer.min_tier_level is not None and tier_level < offer.min_tier_level:
        raise TierTooLow(required=offer.min_tier_level)
    if offer.max_claims is not None and claims >= offer.max_claims:
        raise MaxClaimsExceeded


def pieces_left(offer: Offer) -> int | None:
    """Return how many pieces can still be handed out. None: no limit."""
    inventory = None if offer.inventory is None else max(0, offer.inventory - offer.claimed)
    limits = [limit for limit in (inventory, offer.free_codes) if limit is not None]
    return min(limits, default=None)


def check_stock(offer: Offer) -> None:
    """Check that there is a piece in stock. Raises, in this order: OutOfStock, NoCodesAvailable."""
    if offer.inventory is not None and offer.claimed >= offer.inventory:
        raise OutOfStock
    if offer.free_codes == 0:
        raise NoCodesAvailable
