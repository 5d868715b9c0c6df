"""Challenges are taken part in by asking or by the first event, are advanced by events, and end."""

from gamify.challenges.services.advancing import CountResult, count_event, enrol_in, loads_for
from gamify.challenges.services.ending import expire, expire_in_chunks
from gamify.challenges.services.enrolling import ChallengeNotFound, ChallengeUnavailable, enroll
from gamify.challenges.services.wiring import register

__all__ = [
    "ChallengeNotFound",
    "ChallengeUnavailable",
    "CountResult",
    "count_event",
    "enrol_in",
    "enroll",
    "expire",
    "expire_in_chunks",
    "loads_for",
    "register",
]
