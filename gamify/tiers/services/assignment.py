"""Tiers assigned by hand or granted by definitions."""

from dataclasses import dataclass
from datetime import datetime

from gamify.facts import services as facts
from gamify.facts.engine.outcomes import GrantRefused
from gamify.tiers.engine import Tier
from gamify.tiers.models import AwardType
from gamify.tiers.selectors import current_tier, ladder_of
from gamify.tiers.services.changes import TierName, change_tier, name_of, tier_payload
from participants.errors import NotFound
from participants.models import Participant, Tenant
from participants.work import (
    IdempotencyRequest,
    UnitOfWork,
    answer_from,
    restartable,
    result_from,
    unit_of_work,
)

ASSIGN = "tiers.assign"


class TierNotFound(NotFound):
    code = "tier_not_found"
    noun = "Tier definition"


class TierNotHigher(GrantRefused):
    """A definition granted a tier that is not higher than the current one. Grants never move a participant down."""

    code = "tier_not_higher"

    def __init__(self, code: str) -> None:
        super().__init__(f"The participant already has tier {code}, whose level is as high or higher")


@dataclass(frozen=True)
class AssignmentResult:
    participant_id: str
    tier: TierName
    previous_tier: TierName | None
    reason: str | None
    assigned_at: datetime
    is_replay: bool = False


@dataclass(frozen=True)
class Assignment:
    """A request to assign a tier to a participant, whatever their points are."""

    participant_id: str
    tier_code: str
    reason: str | None = None
    idempotency_key: str | None = None

    @property
    def idempotency(self) -> IdempotencyRequest | None:
        if self.idempotency_key is None:
            return None
        return IdempotencyRequest(ASSIGN, self.idempotency_key, digest=self.tier_code, external_id=self.participant_id)


@restartable
def assign(*, tenant: Tenant, assignment: Assignment, now: datetime) -> AssignmentResult:
    """Assign a tier by hand, up or down.

    If the participant has this tier already, no history row is written. The tier counts as assigned by hand from then on.

    Raises: TierNotFound, IdempotencyKeyReused.
    """
    idempotency = assignment.idempotency
    with unit_of_work(tenant, [assignment.participant_id], now=now, idempotency_requests=[idempotency]) as work:
        if (answer := work.stored_answer(idempotency)) is not None:
            return result_from(AssignmentResult, answer, participant_id=assignment.participant_id)
        assigned = assign_in_unit(work, assignment)
        facts.publish_changes(work, work.participant(assignment.participant_id), now=now)
        work.store_answer(idempotency, answer_from(assigned))
        return assigned


def assign_in_unit(work: UnitOfWork, assignment: Assignment) -> AssignmentResult:
    """Assign a tier in a unit. The caller publishes the changes. Raises: TierNotFound."""
    tier = _active_tier(work, assignment.tier_code)
    participant = work.participant(assignment.participant_id)
    previous = current_tier(ladder_of(work.catalog), participant)
    _assign_tier(work, participant, tier, previous, reason=assignment.reason)
    names = name_of(tier), None if previous is None else name_of(previous)
    return AssignmentResult(assignment.participant_id, *names, assignment.reason, work.now)


def _assign_tier(
    work: UnitOfWork, participant: Participant, tier: Tier, previous: Tier | None, *, reason: str | None
) -> None:
    work.touch(participant)
    if previous is not None and previous.code == tier.code:
        participant.tier_is_manual = True
    else:
        change_tier(work, participant, tier, previous, how=AwardType.MANUAL, reason=reason)
    data = {"tier": tier_payload(tier), "previous_tier": tier_payload(previous), "reason": reason}
    work.emit("tier.assigned", participant, data)


def grant_tier(work: UnitOfWork, participant: Participant, tier_code: str, *, reason: str) -> Tier:
    """Move a participant up into a tier, inside a unit of work. The tier counts as assigned by hand.

    Raises: TierNotFound, TierNotHigher.
    """
    tier = _active_tier(work, tier_code)
    previous = current_tier(ladder_of(work.catalog), participant)
    if previous is not None and previous.level >= tier.level:
        raise TierNotHigher(previous.code)
    _assign_tier(work, participant, tier, previous, reason=reason)
    return tier


def _active_tier(work: UnitOfWork, code: str) -> Tier:
    tier = ladder_of(work.catalog).find(code)
    if tier is None or not tier.is_active:
        raise TierNotFound(code)
    return tier
