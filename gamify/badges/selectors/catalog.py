"""The part of the catalog with the active badges, by code and by the events and changes that they listen to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from gamify.badges.engine import Criterion, compile_criterion
from gamify.badges.models import Badge
from gamify.facts.engine.listeners import ANY_EVENT, ListenerIndex, index_listeners
from gamify.facts.engine.outcomes import Source
from gamify.facts.services import badge_metrics
from participants.catalog import Catalog, CatalogPart
from participants.models import Tenant


@dataclass(frozen=True)
class BadgeDefinition:
    """A badge, compiled for the catalog."""

    id: UUID
    code: str
    name: str
    description: str | None
    icon: str | None
    rarity: str
    criterion: Criterion | None = None

    @cached_property
    def source(self) -> Source:
        return Source("badge", self.code)


Listening = tuple[BadgeDefinition, Criterion]


@dataclass(frozen=True)
class ChangeListeners:
    """The badges that listen to one change.

    `least` has the lowest minimum for each metric and selector. A number below it meets none of the badges.
    """

    badges: Sequence[Listening]
    least: Sequence[Criterion]

    @classmethod
    def of(cls, badges: Sequence[Listening]) -> "ChangeListeners":
        least: dict[tuple[str, str], Criterion] = {}
        for _, criterion in sorted(badges, key=lambda listening: listening[1].minimum):
            least.setdefault((criterion.metric, repr(criterion.selector)), criterion)
        return cls(badges, tuple(least.values()))


@dataclass(frozen=True)
class Badges:
    """Active badges by code, in display order. Those with criteria also by name of event and of change."""

    active: Mapping[str, BadgeDefinition]
    by_event: ListenerIndex[tuple[Listening, ...]]
    by_change: ListenerIndex[ChangeListeners]


def load_badges(tenant: Tenant) -> Badges:
    """Load the tenant's active badges for the catalog."""
    active = {badge.code: badge_definition(badge) for badge in Badge.objects.of(tenant).active().in_order()}
    pairs = [(badge, badge.criterion) for badge in active.values() if badge.criterion is not None]
    pairs.sort(key=lambda pair: _counts_all_events(pair[1]))  # badges that count all events are evaluated last
    return Badges(
        active,
        index_listeners(pairs, names_of=_event_names, group=tuple),
        index_listeners(pairs, names_of=lambda pair: badge_metrics[pair[1].metric].raised_by, group=ChangeListeners.of),
    )


def _event_names(listening: Listening) -> Iterable[str]:
    criterion = listening[1]
    return (criterion.counter.event_name,) if criterion.counts_events else ()


def _counts_all_events(criterion: Criterion) -> bool:
    return criterion.counts_events and criterion.counter.event_name == ANY_EVENT


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


badges_in = CatalogPart("badges", load_badges)


def active_badges(catalog: Catalog) -> Mapping[str, BadgeDefinition]:
    """Active badges by code, in display order."""
    return badges_in(catalog).active
