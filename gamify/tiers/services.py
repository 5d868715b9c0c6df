"""Tiers are reached by awards or given by hand; either way a change is one row of the participant's history."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.tiers import engine
from gamify.tiers.engine import Points, Tier
from gamify.tiers.models import AwardType, TierChange
from gamify.tiers.selectors import CATALOG_PART, current_tier, ladder_of, load_ladder, points_of
from participants import events
from participants.catalog import catalog_parts
from participants.errors import DomainError
from participants.models import Participant, Tenant
from participants.services.participants import Eraser, erasers
from participants.work import Once, UnitOfWork, restartable, unit_of_work

ASSIGN = "tiers.assign"


class TierNotFound(DomainError):
    code = "tier_not_found"
    status = 404

    def __init__(self, code: str) -> None:
        super().__init__(f"Tier definition not found: {code}")


@dataclass(frozen=True)
class TierUpgrade:
    """The tier an award carried its participant into."""

    code: str
    name: str
    level: int
    previous_code: str | None
    previous_level: int | None


@dataclass(frozen=True)
class TierName:
    """A tier as answers name it."""

    code: str
    name: str
    level: int


@dataclass(frozen=True)
class TierAssigned:
    participant_id: str
    tier: TierName
    previous_tier: TierName | None
    reason: str | None
    assigned_at: datetime
    is_replay: bool = False


@dataclass(frozen=True)
class Assignment:
    """What a client asks: this tier for this participant, whatever their points are."""

    participant_id: str
    tier_code: str
    reason: str | None = None
    idempotency_key: str | None = None

    @property
    def once(self) -> Once | None:
        if self.idempotency_key is None:
            return None
        return Once(ASSIGN, self.idempotency_key, digest=self.tier_code, external_id=self.participant_id)


def evaluate(work: UnitOfWork, participant: Participant, *, before: Points, entry_id: UUID) -> TierUpgrade | None:
    """Move a participant whose points grew since `before` into the tier they lead into (contract §7).

    Called in the unit of the award, once the participant holds the new totals; `entry_id` is the award's. Answers None
    where the tier stays, and where it is the one that everyone begins in.
    """
    ladder = ladder_of(work.catalog)
    current = current_tier(ladder, participant)
    if current is None and participant.tier_code is not None:
        return None  # defined after this request began: the next award knows how high it is, this one must not demote
    tier = engine.reached(
        ladder, current, is_manual=participant.tier_is_manual, before=before, after=points_of(participant)
    )
    if tier is None:
        return None
    participant.tier_is_manual = False
    change = _change(work, participant, tier, current, how=AwardType.AUTOMATIC, entry_id=entry_id)
    if engine.is_entry(tier, current=current):
        work.emit("tier.entered", participant, {"tier": _named(tier)})
        return None
    return _upgraded(work, participant, change)


def _upgraded(work: UnitOfWork, participant: Participant, change: TierChange) -> TierUpgrade:
    upgrade = TierUpgrade(change.code, change.name, change.level, change.previous_code, change.previous_level)
    work.emit("tier.upgraded", participant, asdict(upgrade))
    return upgrade


@restartable
def assign(*, tenant: Tenant, assignment: Assignment, now: datetime) -> TierAssigned:
    """Give a participant a tier by hand, upwards or downwards. Raises TierNotFound or IdempotencyKeyReused.

    The tier they stand in already is given anew without a row in their history: nothing changed but that it is theirs
    by hand from now on.
    """
    once = assignment.once
    with unit_of_work(tenant, [assignment.participant_id], now=now, onces=[once]) as work:
        if (answer := work.replayed(once)) is not None:
            return _from_answer(answer, assignment.participant_id)
        assigned = _assign(work, assignment)
        work.remember(once, _answer(assigned))
        return assigned


def _assign(work: UnitOfWork, assignment: Assignment) -> TierAssigned:
    tier = _active_tier(work, assignment.tier_code)
    participant = work.participant(assignment.participant_id)
    previous = current_tier(ladder_of(work.catalog), participant)
    work.touch(participant)
    participant.tier_is_manual = True
    if previous is None or previous.code != tier.code:
        _change(work, participant, tier, previous, how=AwardType.MANUAL, reason=assignment.reason)
    told = {"tier": _named(tier), "previous_tier": _named(previous), "reason": assignment.reason}
    work.emit("tier.assigned", participant, told)
    names = _name(tier), None if previous is None else _name(previous)
    return TierAssigned(assignment.participant_id, *names, assignment.reason, work.now)


def _active_tier(work: UnitOfWork, code: str) -> Tier:
    tier = ladder_of(work.catalog).find(code)
    if tier is None or not tier.is_active:
        raise TierNotFound(code)
    return tier


def _change(
    work: UnitOfWork,
    participant: Participant,
    tier: Tier,
    previous: Tier | None,
    *,
    how: AwardType,
    reason: str | None = None,
    entry_id: UUID | None = None,
) -> TierChange:
    """The tier they stand in now, and its row, numbered under the participant's lock."""
    participant.tier_code = tier.code
    participant.tier_count += 1
    change = TierChange(
        tenant_id=work.tenant.pk,
        participant_id=participant.pk,
        number=participant.tier_count,
        tier_id=tier.id,
        code=tier.code,
        name=tier.name,
        level=tier.level,
        previous_code=previous.code if previous else None,
        previous_level=previous.level if previous else None,
        how=how,
        reason=reason,
        entry_id=entry_id,
        changed_at=work.now,
    )
    work.add(change)
    return change


def _name(tier: Tier) -> TierName:
    return TierName(tier.code, tier.name, tier.level)


def _named(tier: Tier | None) -> dict[str, Any] | None:
    return None if tier is None else asdict(_name(tier))


def _answer(assigned: TierAssigned) -> dict[str, Any]:
    answer = asdict(assigned) | {"assigned_at": assigned.assigned_at.isoformat()}
    return {name: value for name, value in answer.items() if name not in {"participant_id", "is_replay"}}


def _from_answer(answer: Mapping[str, Any], participant_id: str) -> TierAssigned:
    previous = answer["previous_tier"]
    return TierAssigned(
        participant_id,
        TierName(**answer["tier"]),
        None if previous is None else TierName(**previous),
        answer["reason"],
        datetime.fromisoformat(answer["assigned_at"]),
        is_replay=True,
    )


def _delete_changes(participant: Participant) -> None:
    TierChange.objects.of(participant).delete()


def _clear_reasons(participant: Participant) -> None:
    """Anonymising keeps where they stood and when, but not what was written beside it."""
    TierChange.objects.of(participant).update(reason=None)


def register() -> None:
    """Called once the apps are loaded."""
    catalog_parts.register(CATALOG_PART, load_ladder)
    erasers.register("tier changes", Eraser(delete=_delete_changes, anonymize=_clear_reasons))
    tier = {"tier": "The tier: its code, name and level."}
    upgraded = {
        "code": "Code of the tier.",
        "name": "Its name.",
        "level": "Its level.",
        "previous_code": "Code of the tier before, or null.",
        "previous_level": "Level of the tier before, or null.",
    }
    assigned = {
        **tier,
        "previous_tier": "The tier before, or null; the same one where it was given anew.",
        "reason": "Text given with the request, or null.",
    }
    events.register("tier.entered", "The tier that everyone begins in was entered with the first award.", tier)
    events.register("tier.upgraded", "An award led into a higher tier.", upgraded)
    events.register("tier.assigned", "A tier was given by hand.", assigned)
