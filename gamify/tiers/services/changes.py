"""The change of a participant's tier, for use inside a unit of work."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from gamify.tiers.engine import Tier
from gamify.tiers.models import AwardType, TierChange
from participants.models import Participant
from participants.work import UnitOfWork


@dataclass(frozen=True)
class TierName:
    """Code, name and level of a tier, as in answers."""

    code: str
    name: str
    level: int


def change_tier(
    work: UnitOfWork,
    participant: Participant,
    tier: Tier,
    previous: Tier | None,
    *,
    how: AwardType,
    reason: str | None = None,
    entry_id: UUID | None = None,
    reverses_id: UUID | None = None,
) -> TierChange:
    """Set the participant's tier and add the numbered history row. The caller registers the participant with `work.touch`."""
    was_manual, participant.tier_is_manual = participant.tier_is_manual, how == AwardType.MANUAL
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
        previous_is_manual=was_manual,
        how=how,
        reason=reason,
        entry_id=entry_id,
        reverses_id=reverses_id,
        changed_at=work.now,
    )
    work.add(change)
    return change


def name_of(tier: Tier) -> TierName:
    return TierName(tier.code, tier.name, tier.level)


def tier_payload(tier: Tier | None) -> dict[str, Any] | None:
    """The tier as in the data of domain events."""
    return None if tier is None else asdict(name_of(tier))
