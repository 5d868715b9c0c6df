"""What may be said of a challenge when it is defined or changed, through the API or in the console.

bodies      objectives and milestones, by themselves          challenges  the whole, and what its parts say of each other
"""

from gamify.challenges.definitions.bodies import ChallengeMilestone, ChallengeObjective, CompletionField
from gamify.challenges.definitions.challenges import (
    ChallengeChanges,
    NewChallenge,
    challenge_grant_problems,
    nest_problems,
)

__all__ = [
    "ChallengeChanges",
    "ChallengeMilestone",
    "ChallengeObjective",
    "CompletionField",
    "NewChallenge",
    "challenge_grant_problems",
    "nest_problems",
]
