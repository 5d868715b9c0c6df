"""Reads of badges: those a tenant gives, and those a participant has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from gamify.badges.models import Badge, BadgeAward
from participants.catalog import Catalog
from participants.models import Participant, Tenant

CATALOG_PART = "badges"


@dataclass(frozen=True)
class BadgeDefinition:
    """A badge as the catalog keeps it."""

    id: UUID
    code: str
    name: str
    description: str | None
    icon: str | None
    rarity: str


@dataclass(frozen=True)
class Standing:
    """One participant and one badge; `earned_at` is None until they have it."""

    badge: BadgeDefinition
    earned_at: datetime | None

    @property
    def is_earned(self) -> bool:
        return self.earned_at is not None


def load_badges(tenant: Tenant) -> Mapping[str, BadgeDefinition]:
    """The catalog's part: active badges by code, in display order."""
    active = Badge.objects.of(tenant).active().in_order()
    return {badge.code: _defined(badge) for badge in active}


def _defined(badge: Badge) -> BadgeDefinition:
    return BadgeDefinition(
        id=badge.pk,
        code=badge.code,
        name=badge.name,
        description=badge.description,
        icon=badge.icon_url,
        rarity=badge.rarity,
    )


def active_badges(catalog: Catalog) -> Mapping[str, BadgeDefinition]:
    """The badges that are given now, by code, in display order."""
    return cast("Mapping[str, BadgeDefinition]", catalog.part(CATALOG_PART))


def standings_of(participant: Participant | None, catalog: Catalog) -> Sequence[Standing]:
    """Every active badge in display order, then those that the participant has and that are not given any more."""
    awards = () if participant is None else _awards_of(participant)
    active = {badge.id: badge for badge in active_badges(catalog).values()}
    retired = {award.badge_id: _defined(award.badge) for award in awards if award.badge_id not in active}
    earned_at = {award.badge_id: award.earned_at for award in awards}
    return [Standing(badge, earned_at.get(badge.id)) for badge in (*active.values(), *retired.values())]


def _awards_of(participant: Participant) -> Iterable[BadgeAward]:
    awards = BadgeAward.objects.of(participant).select_related("badge")
    return list(awards.order_by("badge__display_order", "badge__code"))


def earned(standings: Iterable[Standing]) -> Sequence[Standing]:
    return [standing for standing in standings if standing.is_earned]
