"""Request bodies of challenges, shared by the API and the console.

bodies      objectives and milestones          challenges  the whole challenge, and rules that involve several parts
"""

from gamify.challenges.definitions.challenges import NewChallenge
from gamify.challenges.models import Challenge, Enrolment
from participants.api.kinds import participants_with, plain_kind, register_kind


def register() -> None:
    reach = participants_with(Enrolment, "challenge")
    register_kind(plain_kind("challenge", "challenges", Challenge, NewChallenge, reach=reach))
