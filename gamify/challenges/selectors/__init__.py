"""Reads of challenges: the tenant's definitions, and the status of a participant."""

from gamify.challenges.selectors.catalog import CompiledChallenge, Listener, challenges_in
from gamify.challenges.selectors.statuses import (
    ENROLMENTS,
    EnrolmentStatus,
    Status,
    enrolment_queries,
    enrolment_status,
    enrolment_statuses,
    open_challenges,
)

__all__ = [
    "ENROLMENTS",
    "CompiledChallenge",
    "EnrolmentStatus",
    "Listener",
    "Status",
    "challenges_in",
    "enrolment_queries",
    "enrolment_status",
    "enrolment_statuses",
    "open_challenges",
]
