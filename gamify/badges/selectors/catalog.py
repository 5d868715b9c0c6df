"""The badges that a tenant gives now, by code and by what they listen to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from gamify.badges.engine import Criterion, compile_criterion
from gamify.badges.models import Badge
from gamify.facts.engine.listeners import ANY_EVENT, ListenerIndex, index_listeners
from gamify.facts.services import metrics
from participants.catalog import Catalog
from participants.models import Tenant

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
    criterion: Criterion | None = None


Listening = tuple[BadgeDefinition, Criterion]


@dataclass(frozen=True)
class Badges:
    """Active badges by code, in display order, and those with criteria by the events and changes that they hear."""

    active: Mapping[str, BadgeDefinition]
    by_event: ListenerIndex[tuple[Listening, ...]]
    by_change: ListenerIndex[tuple[Listening, ...]]


def load_badges(tenant: Tenant) -> Badges:
    """The catalog's part."""
    active = {badge.code: badge_definition(badge) for badge in Badge.objects.of(tenant).active().in_order()}
    pairs = [(badge, badge.criterion) for badge in active.values() if badge.criterion is not None]
    pairs.sort(key=lambda pair: pair[1].event_name == ANY_EVENT)  # those that count one event are evaluated first
    return Badges(
        active,
        index_listeners(pairs, names_of=_event_names, group=tuple),
        index_listeners(pairs, names_of=lambda pair: _domain_events(pair[1]), group=tuple),
    )


def _event_names(listening: Listening) -> Iterable[str]:
    name = listening[1].event_name
    return () if name is None else (name,)


def _domain_events(criterion: Criterion) -> Iterable[str]:
    """What changes its number, where some domain keeps it."""
    return metrics[criterion.metric].after if criterion.metric in metrics else ()


def badge_definition(badge: Badge) -> BadgeDefinition:
    return BadgeDefinition(
        id=badge.pk,
        code=badge.code,
        name=badge.name,
        description=badge.description,
        icon=badge.icon_url,
        rarity=badge.rarity,
        criterion=compile_criterion(badge.criteria, revision=badge.criteria_revision),
    )


def badges_in(catalog: Catalog) -> Badges:
    return cast("Badges", catalog.part(CATALOG_PART))


def active_badges(catalog: Catalog) -> Mapping[str, BadgeDefinition]:
    """The badges that are given now, by code, in display order."""
    return badges_in(catalog).active
