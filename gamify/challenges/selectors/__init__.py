"""Reads of challenges: what a tenant has defined, and where a participant stands."""

from gamify.challenges.selectors.catalog import (
    ChallengeCatalog,
    CompiledChallenge,
    Listener,
    challenges_in,
    term_of,
)
from gamify.challenges.selectors.standings import EnrolmentStatus, Status, open_challenges, standing_of, standings_of

__all__ = [
    "ChallengeCatalog",
    "CompiledChallenge",
    "EnrolmentStatus",
    "Listener",
    "Status",
    "challenges_in",
    "open_challenges",
    "standing_of",
    "standings_of",
    "term_of",
]
