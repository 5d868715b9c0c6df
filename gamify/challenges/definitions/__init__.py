"""Request bodies of challenges, shared by the API and the console.

bodies      objectives and milestones          challenges  the whole challenge, and rules that involve several parts
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
