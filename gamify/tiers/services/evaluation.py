"""Tiers reached by points: evaluated with each award, and recomputed after definitions changed."""

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
    """The tier that an award led to, and the tier before."""

    code: str
    name: str
    level: int
    previous_code: str | None
    previous_level: int | None


def evaluate(
    work: UnitOfWork, participant: Participant, *, before: Points, entry_id: UUID | None
) -> TierUpgrade | None:
    """Move a participant into the tier that their points lead to (docs/contract.md §7).

    Call it in the unit of the award, after the participant's totals were changed. `before` are the points before the
    award; `entry_id` is the award's ledger entry, or None without an award.

    Returns None if the tier stays, or if the participant entered the first tier, which is not an upgrade.
    """
    ladder = ladder_of(work.catalog)
    current = current_tier(ladder, participant)
    if current is None and participant.tier_code is not None:
        # The tier was defined after this unit read the catalog, so its level is unknown. Changing it might demote the
        # participant. The next award sees the new catalog.
        return None
    tier = engine.tier_after_award(
        ladder, current, is_manual=participant.tier_is_manual, before=before, after=points_of(participant)
    )
    if tier is None:
        return None
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
    """The upgrade in the answer of an award: from the tier `earlier` to the highest of the tiers `reached` (codes), or None."""
    ladder = ladder_of(work.catalog)
    tiers = [tier for code in reached if (tier := ladder.find(code))]
    if not tiers:
        return None
    tier = max(tiers, key=lambda each: each.level)
    previous = (None, None) if earlier is None else (earlier.code, earlier.level)
    return TierUpgrade(tier.code, tier.name, tier.level, *previous)


@restartable
def recompute(*, tenant: Tenant, participant_ids: Sequence[str], now: datetime, is_dry_run: bool = False) -> int:
    """Move participants up whose points are enough for a higher tier, as their next award would. Returns how many moved.

    No participant is moved down. Tiers assigned by hand stay. Participants who never earned points are skipped. A dry run
    only counts.
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
