"""Services that enrol participants in challenges, advance them by events, and announce expired enrolments."""

from gamify.challenges.services.advancing import count_event, enrol_in, loads_for
from gamify.challenges.services.ending import expire_in_chunks
from gamify.challenges.services.enrolling import ChallengeNotFound, ChallengeUnavailable, enroll, enroll_in_unit

__all__ = [
    "ChallengeNotFound",
    "ChallengeUnavailable",
    "count_event",
    "enrol_in",
    "enroll",
    "enroll_in_unit",
    "expire_in_chunks",
    "loads_for",
]
