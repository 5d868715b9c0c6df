"""Reads of challenges: the tenant's definitions, and the status of a participant."""

from gamify.challenges.selectors.catalog import CompiledChallenge, Listener, challenges_in
from gamify.challenges.selectors.statuses import (
    EnrolmentStatus,
    Status,
    enrolment_status,
    enrolment_statuses,
    open_challenges,
)

__all__ = [
    "CompiledChallenge",
    "EnrolmentStatus",
    "Listener",
    "Status",
    "challenges_in",
    "enrolment_status",
    "enrolment_statuses",
    "open_challenges",
]
