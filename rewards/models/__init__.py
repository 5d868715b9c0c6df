"""Tables of rewards, a topic per module."""

from rewards.models.claims import Claim, ClaimStatus, RewardTally
from rewards.models.codes import RewardCode
from rewards.models.definitions import Reward, RewardType

__all__ = ["Claim", "ClaimStatus", "Reward", "RewardCode", "RewardTally", "RewardType"]
