"""What participants, their applications and staff did, and how it is done again in a unit of work.

What definitions gave is no act: the replay decides about it again.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.badges import services as badges
from gamify.challenges import services as challenges
from gamify.challenges.selectors import challenges_in
from gamify.facts.engine.events import EventInput
from gamify.facts.services import publish_changes
from gamify.facts.services.events import emit_in_unit
from gamify.points.services import Note, adjust_balance, credit, debit
from gamify.tiers import services as tiers
from participants.models import Participant
from participants.work import UnitOfWork
from rewards import services as rewards
from streaks import services as streaks

NOTE = Note("Replayed")


@dataclass(frozen=True)
class Act(ABC):
    """Something that happened at `at`."""

    at: datetime

    @abstractmethod
    def play(self, work: UnitOfWork, participant: Participant) -> None:
        """Do it again, at `work.now`. Raises DomainError if the product refuses it, before anything has changed."""


@dataclass(frozen=True)
class Report(Act):
    """An application reported an event."""

    name: str
    properties: Any

    def play(self, work: UnitOfWork, participant: Participant) -> None:
        emit_in_unit(work, EventInput(participant.external_id, self.name, self.at, self.properties), None)


@dataclass(frozen=True)
class Award(Act):
    """Points were awarded directly, before multipliers."""

    points: int
    expires_at: datetime | None

    def play(self, work: UnitOfWork, participant: Participant) -> None:
        credit(work, participant, self.points, note=NOTE, at=self.at, expires_at=self.expires_at)
        publish_changes(work, participant, now=work.now)


@dataclass(frozen=True)
class Deduction(Act):
    """Points were deducted."""

    points: int

    def play(self, work: UnitOfWork, participant: Participant) -> None:
        debit(work, participant, self.points, note=NOTE)
        publish_changes(work, participant, now=work.now)


@dataclass(frozen=True)
class Adjustment(Act):
    """Staff corrected a balance."""

    delta: int

    def play(self, work: UnitOfWork, participant: Participant) -> None:
        adjust_balance(work, participant, self.delta, note=NOTE)
        publish_changes(work, participant, now=work.now)


@dataclass(frozen=True)
class RewardClaim(Act):
    """A participant claimed a reward. `is_paid`: for its price, which may be another one now."""

    reward_id: UUID
    is_paid: bool

    def play(self, work: UnitOfWork, participant: Participant) -> None:
        work.load([rewards.tally_load(self.reward_id)])
        rewards.claim_in_unit(work, self.reward_id, participant.external_id, deducts_points=self.is_paid)


@dataclass(frozen=True)
class DirectTick(Act):
    """A tick of a streak was recorded without an event."""

    streak_code: str

    def play(self, work: UnitOfWork, participant: Participant) -> None:
        work.load(streaks.loads_of_codes(work.catalog, [self.streak_code]))
        streaks.record_in_unit(work, streaks.Tick(participant.external_id, self.streak_code, self.at))


@dataclass(frozen=True)
class Enrolling(Act):
    """A participant was enrolled in a challenge."""

    challenge_id: UUID

    def play(self, work: UnitOfWork, participant: Participant) -> None:
        challenge = challenges_in(work.catalog).by_id[self.challenge_id]
        work.load(challenges.loads_for([challenge]))
        challenges.enroll_in_unit(work, participant.external_id, challenge)


@dataclass(frozen=True)
class BadgeGift(Act):
    """A badge was awarded by request."""

    code: str

    def play(self, work: UnitOfWork, participant: Participant) -> None:
        work.load(badges.loads_for(work.catalog, [self.code]))
        badges.grant(work, participant, self.code)
        publish_changes(work, participant, now=work.now)


@dataclass(frozen=True)
class TierAssignment(Act):
    """A tier was assigned by hand."""

    code: str

    def play(self, work: UnitOfWork, participant: Participant) -> None:
        tiers.assign_in_unit(work, tiers.Assignment(participant.external_id, self.code))
        publish_changes(work, participant, now=work.now)
