"""Challenges are taken part in by asking or by the first event, are advanced by events, and end."""

from gamify.challenges.services.advancing import Counted, count, enrol_in, loads_for
from gamify.challenges.services.ending import expire, expiring
from gamify.challenges.services.enrolling import ChallengeNotFound, ChallengeUnavailable, enroll
from gamify.challenges.services.wiring import register

__all__ = [
    "ChallengeNotFound",
    "ChallengeUnavailable",
    "Counted",
    "count",
    "enrol_in",
    "enroll",
    "expire",
    "expiring",
    "loads_for",
    "register",
]
