"""What a participant has earned, and how far they are with the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gamify.badges.engine import Criterion
from gamify.badges.models import BadgeAward, BadgeProgress
from gamify.badges.selectors.catalog import BadgeDefinition, active_badges, badge_definition
from gamify.badges.selectors.history import values_from_history
from gamify.facts.services import badge_metrics
from participants.catalog import Catalog
from participants.models import Participant, Tenant


@dataclass(frozen=True)
class Progress:
    """How far somebody is: `current` of `target`, never beyond it."""

    current: Decimal
    target: Decimal


@dataclass(frozen=True)
class BadgeStatus:
    """One participant and one badge; `earned_at` is None until they have it, `progress` is that of one with criteria."""

    badge: BadgeDefinition
    earned_at: datetime | None
    progress: Progress | None = None

    @property
    def is_earned(self) -> bool:
        return self.earned_at is not None


def badge_statuses(participant: Participant | None, catalog: Catalog) -> Sequence[BadgeStatus]:
    """Every active badge in display order, then those that the participant has and that are not given any more."""
    awards = () if participant is None else _awards_of(participant)
    active = {badge.id: badge for badge in active_badges(catalog).values()}
    retired = {award.badge_id: badge_definition(award.badge) for award in awards if award.badge_id not in active}
    earned_at = {award.badge_id: award.earned_at for award in awards}
    return [BadgeStatus(badge, earned_at.get(badge.id)) for badge in (*active.values(), *retired.values())]


def _awards_of(participant: Participant) -> Iterable[BadgeAward]:
    awards = BadgeAward.objects.of(participant).select_related("badge")
    return list(awards.order_by("badge__display_order", "badge__code"))


def only_earned(standings: Iterable[BadgeStatus]) -> Sequence[BadgeStatus]:
    return [standing for standing in standings if standing.is_earned]


def with_progress(
    standings: Sequence[BadgeStatus], participant: Participant | None, *, tenant: Tenant, now: datetime
) -> Sequence[BadgeStatus]:
    """The same, and of those badges that are not earned and have criteria, how far the participant is."""
    criteria = {
        standing.badge.id: standing.badge.criterion
        for standing in standings
        if standing.badge.criterion is not None and not standing.is_earned
    }
    if not criteria:
        return standings
    values = {} if participant is None else _values(tenant, participant, criteria, now=now)
    return [_add_progress(standing, criteria.get(standing.badge.id), values) for standing in standings]


def _add_progress(standing: BadgeStatus, criterion: Criterion | None, values: Mapping[UUID, Decimal]) -> BadgeStatus:
    if criterion is None:
        return standing
    current = values.get(standing.badge.id, Decimal(0))
    return replace(standing, progress=Progress(min(current, criterion.minimum), criterion.minimum))


def _values(
    tenant: Tenant, participant: Participant, criteria: Mapping[UUID, Criterion], *, now: datetime
) -> Mapping[UUID, Decimal]:
    by_events = {badge_id: each for badge_id, each in criteria.items() if each.counts_events}
    kept = {badge_id: each for badge_id, each in criteria.items() if not each.counts_events}
    return _event_values(participant, by_events) | _metric_values(tenant, participant, kept, now=now)


def _event_values(participant: Participant, criteria: Mapping[UUID, Criterion]) -> dict[UUID, Decimal]:
    """As the rows say, and of badges that began to count since, what the history comes to."""
    if not criteria:
        return {}
    rows = BadgeProgress.objects.filter(
        tenant_id=participant.tenant_id, participant_id=participant.pk, badge_id__in=criteria
    )
    known = {row.badge_id: row.value for row in rows if row.revision == criteria[row.badge_id].revision}
    missing = {badge_id: each for badge_id, each in criteria.items() if badge_id not in known}
    return {**known, **values_from_history(participant, missing)}


def _metric_values(
    tenant: Tenant, participant: Participant, criteria: Mapping[UUID, Criterion], *, now: datetime
) -> dict[UUID, Decimal]:
    """What other domains say, each of them asked once for each thing that is asked about."""
    asked: dict[tuple[str, str], Decimal] = {}
    found = {}
    for badge_id, criterion in criteria.items():
        key = criterion.metric, str(sorted(criterion.selector.items()))
        if key not in asked:
            numbers = badge_metrics[criterion.metric].read(tenant, [participant], criterion.selector, now)
            number = numbers.get(participant.pk)
            asked[key] = Decimal(0 if number is None else number.current)
        found[badge_id] = asked[key]
    return found
