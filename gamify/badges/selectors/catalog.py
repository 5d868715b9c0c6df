"""The part of the catalog with the active badges, by code and by the events and changes that they listen to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from gamify.badges.engine import Criterion, compile_criterion
from gamify.badges.models import Badge
from gamify.facts.engine.metrics import ANY_EVENT
from gamify.facts.services import badge_metrics
from participants.catalog import Catalog
from participants.models import Tenant

CATALOG_PART = "badges"


@dataclass(frozen=True)
class BadgeDefinition:
    """A badge in the catalog."""

    id: UUID
    code: str
    name: str
    description: str | None
    icon: str | None
    rarity: str
    criterion: Criterion | None = None


@dataclass(frozen=True)
class Badges:
    """Active badges by code, in display order. Those with criteria also by name of event and of change."""

    active: Mapping[str, BadgeDefinition]
    by_event: Mapping[str, Sequence[tuple[BadgeDefinition, Criterion]]]
    by_change: Mapping[str, Sequence[tuple[BadgeDefinition, Criterion]]]

    def listening(self, event_name: str) -> Iterable[tuple[BadgeDefinition, Criterion]]:
        """Badges that count events of this name."""
        named = self.by_event.get(event_name, ()) if event_name != ANY_EVENT else ()
        return (*named, *self.by_event.get(ANY_EVENT, ()))


def load_badges(tenant: Tenant) -> Badges:
    """Load this part of the catalog."""
    active = {badge.code: badge_definition(badge) for badge in Badge.objects.of(tenant).active().in_order()}
    by_event: defaultdict[str, list[tuple[BadgeDefinition, Criterion]]] = defaultdict(list)
    by_change: defaultdict[str, list[tuple[BadgeDefinition, Criterion]]] = defaultdict(list)
    for badge in active.values():
        criterion = badge.criterion
        if criterion is None:
            continue
        if criterion.counts_events:
            by_event[criterion.counter.event_name].append((badge, criterion))
        for change in badge_metrics[criterion.metric].raised_by:
            by_change[change].append((badge, criterion))
    return Badges(active, by_event, by_change)


def badge_definition(badge: Badge) -> BadgeDefinition:
    return BadgeDefinition(
        id=badge.pk,
        code=badge.code,
        name=badge.name,
        description=badge.description,
        icon=badge.icon_url,
        rarity=badge.rarity,
        criterion=_criterion(badge),
    )


def _criterion(badge: Badge) -> Criterion | None:
    if badge.criteria is None:
        return None
    kind = badge_metrics[badge.criteria["metric"]].kind
    return compile_criterion(badge.criteria, kind, revision=badge.criteria_revision)


def badges_in(catalog: Catalog) -> Badges:
    return cast("Badges", catalog.part(CATALOG_PART))


def active_badges(catalog: Catalog) -> Mapping[str, BadgeDefinition]:
    """Active badges by code, in display order."""
    return badges_in(catalog).active
