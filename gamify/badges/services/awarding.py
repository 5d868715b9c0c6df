"""Award badges: each badge once to each participant, also when the call is repeated."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.badges.models import BadgeAward
from gamify.badges.selectors import BadgeDefinition, active_badges
from gamify.facts import services as facts
from participants.catalog import Catalog, catalog_of
from participants.errors import NotFound
from participants.models import Participant, Tenant
from participants.work import Load, UnitOfWork, restartable, unit_of_work


class BadgeNotFound(NotFound):
    """No active badge has this code or id. An inactive badge is not found, because it is not awarded any more."""

    code = "badge_not_found"
    noun = "Badge definition"


@dataclass(frozen=True)
class BadgeAwarded:
    """The badge that the participant has now. `earned_at` is the time of the first award, even if `already_earned`."""

    participant_id: str
    badge: BadgeDefinition
    earned_at: datetime
    already_earned: bool


@restartable
def award(
    *, tenant: Tenant, participant_id: str, badge_code: str, metadata: Mapping[str, Any], now: datetime
) -> BadgeAwarded:
    """Award a badge to one participant, unless they have it.

    Raises: BadgeNotFound.
    """
    badge = _active(catalog_of(tenant), badge_code)
    with unit_of_work(tenant, [participant_id], now=now, loads=[_load([badge])]) as work:
        participant = work.participant(participant_id)
        awarded = grant(work, participant, badge.code, metadata=metadata)
        facts.publish_changes(work, participant, now=now)
        return awarded


def loads_for(catalog: Catalog, badge_codes: Iterable[str]) -> Sequence[Load]:
    """The rows that a unit must load before it may `grant` these badges. Codes of unknown or inactive badges are ignored."""
    active = active_badges(catalog)
    wanted = [active[code] for code in dict.fromkeys(badge_codes) if code in active]
    return [_load(wanted)] if wanted else []


def _load(badges: Iterable[BadgeDefinition]) -> Load:
    return Load(BadgeAward, "badge_id", tuple(badge.id for badge in badges))


def grant(
    work: UnitOfWork,
    participant: Participant,
    badge_code: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    event_id: UUID | None = None,
) -> BadgeAwarded:
    """Award a badge in a unit of work that was opened with `loads_for` this badge.

    `event_id` is the client's event that led to the award, if any.

    Raises: BadgeNotFound.
    """
    badge = _active(work.catalog, badge_code)
    earlier = work.row(BadgeAward, participant, badge.id)
    row = earlier or _give(work, participant, badge, metadata or {}, event_id)
    return BadgeAwarded(participant.external_id, badge, row.earned_at, already_earned=earlier is not None)


def _active(catalog: Catalog, badge_code: str) -> BadgeDefinition:
    badge = active_badges(catalog).get(badge_code)
    if badge is None:
        raise BadgeNotFound(badge_code)
    return badge


def _give(
    work: UnitOfWork,
    participant: Participant,
    badge: BadgeDefinition,
    metadata: Mapping[str, Any],
    event_id: UUID | None,
) -> BadgeAward:
    work.touch(participant)
    participant.badge_count += 1
    row = BadgeAward(
        tenant_id=work.tenant.pk,
        participant_id=participant.pk,
        badge_id=badge.id,
        earned_at=work.now,
        event_id=event_id,
        metadata=metadata,
    )
    work.add(row)
    work.emit("badge.awarded", participant, {**event_data(badge), "metadata": metadata})
    return row


def event_data(badge: BadgeDefinition) -> dict[str, Any]:
    """The fields that all domain events about a badge have."""
    return {"badge_code": badge.code, "badge_name": badge.name, "icon": badge.icon, "rarity": badge.rarity}
