"""Services of rewards: define, claim, grant, fulfil and cancel rewards, and add codes to the stock."""

from rewards.services.claiming import RewardClaimed, claim, claim_in_unit
from rewards.services.closing import AlreadyCancelled, ClaimNotFound, ClaimNotOpen, cancel, fulfil
from rewards.services.definitions import NOUN, change_reward, create_reward
from rewards.services.issuing import RewardNotFound, grant, tally_load
from rewards.services.multipliers import multipliers_at
from rewards.services.serving import serve_pending_in_chunks
from rewards.services.stock import add_codes, with_earlier_stock

__all__ = [
    "NOUN",
    "AlreadyCancelled",
    "ClaimNotFound",
    "ClaimNotOpen",
    "RewardClaimed",
    "RewardNotFound",
    "add_codes",
    "cancel",
    "change_reward",
    "claim",
    "claim_in_unit",
    "create_reward",
    "fulfil",
    "grant",
    "multipliers_at",
    "serve_pending_in_chunks",
    "tally_load",
    "with_earlier_stock",
]
