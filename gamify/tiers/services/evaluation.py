"""Tiers reached by points: with every award, and for everyone at once after definitions changed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from gamify.facts import services as facts
from gamify.tiers import engine
from gamify.tiers.engine import Points, Tier
from gamify.tiers.models import AwardType, TierChange
from gamify.tiers.selectors import current_tier, ladder_of, points_of
from gamify.tiers.services.changes import change_tier, tier_payload
from participants.models import Participant, Tenant
from participants.work import UnitOfWork, restartable, unit_of_work


@dataclass(frozen=True)
class TierUpgrade:
    """The tier an award carried its participant into."""

    code: str
    name: str
    level: int
    previous_code: str | None
    previous_level: int | None


def evaluate(
    work: UnitOfWork, participant: Participant, *, before: Points, entry_id: UUID | None
) -> TierUpgrade | None:
    """Move a participant whose points grew since `before` into the tier they lead into (contract §7).

    Called in the unit of the award, once the participant holds the new totals; `entry_id` is the award's, None where
    there is none. Answers None where the tier stays, and where it is the one that everyone begins in.
    """
    ladder = ladder_of(work.catalog)
    current = current_tier(ladder, participant)
    if current is None and participant.tier_code is not None:
        return None  # defined after this request began: the next award knows how high it is, this one must not demote
    tier = engine.tier_after_award(
        ladder, current, is_manual=participant.tier_is_manual, before=before, after=points_of(participant)
    )
    if tier is None:
        return None
    participant.tier_is_manual = False
    change = change_tier(work, participant, tier, current, how=AwardType.AUTOMATIC, entry_id=entry_id)
    if engine.is_entry(tier, current=current):
        work.emit("tier.entered", participant, {"tier": tier_payload(tier)})
        return None
    return _emit_upgrade(work, participant, change)


def _emit_upgrade(work: UnitOfWork, participant: Participant, change: TierChange) -> TierUpgrade:
    upgrade = TierUpgrade(change.code, change.name, change.level, change.previous_code, change.previous_level)
    work.emit("tier.upgraded", participant, asdict(upgrade))
    return upgrade


def highest_upgrade(work: UnitOfWork, reached: Iterable[str], earlier: Tier | None) -> TierUpgrade | None:
    """What an award answers of who stood in `earlier` and was led by points into the tiers `reached`, by code: the highest."""
    ladder = ladder_of(work.catalog)
    tiers = [tier for code in reached if (tier := ladder.find(code))]
    if not tiers:
        return None
    tier = max(tiers, key=lambda each: each.level)
    previous = (None, None) if earlier is None else (earlier.code, earlier.level)
    return TierUpgrade(tier.code, tier.name, tier.level, *previous)


@restartable
def recompute(*, tenant: Tenant, participant_ids: Sequence[str], now: datetime, is_dry_run: bool = False) -> int:
    """Raise those whose points suffice for a higher tier, as their next award would; answers how many.

    Nobody is lowered, a tier given by hand stays, and who was never awarded a point is left alone. A dry run only counts.
    """
    with unit_of_work(tenant, participant_ids, now=now, is_dry_run=is_dry_run) as work:
        known = [participant for external_id in participant_ids if (participant := work.find(external_id))]
        return sum(_raise(work, participant) for participant in known if participant.total_earned)


def _raise(work: UnitOfWork, participant: Participant) -> bool:
    count = participant.tier_count
    evaluate(work, participant, before=points_of(participant), entry_id=None)
    if participant.tier_count == count:
        return False
    work.touch(participant, is_seen=False)
    facts.publish_changes(work, participant, now=work.now)
    return True
