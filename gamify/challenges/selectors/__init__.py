"""Reads of challenges: what a tenant has defined, and where a participant stands."""

from gamify.challenges.selectors.catalog import (
    ChallengeCatalog,
    CompiledChallenge,
    Listener,
    challenges_in,
    term_of,
)
from gamify.challenges.selectors.statuses import (
    EnrolmentStatus,
    Status,
    enrolment_status,
    enrolment_statuses,
    open_challenges,
)

__all__ = [
    "ChallengeCatalog",
    "CompiledChallenge",
    "EnrolmentStatus",
    "Listener",
    "Status",
    "challenges_in",
    "enrolment_status",
    "enrolment_statuses",
    "open_challenges",
    "term_of",
]
