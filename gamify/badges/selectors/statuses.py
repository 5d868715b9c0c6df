"""Which badges a participant has earned, and their progress towards the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from gamify.badges.engine import Criterion
from gamify.badges.models import BadgeAward, BadgeProgress
from gamify.badges.selectors.catalog import BadgeDefinition, active_badges, badge_definition
from gamify.badges.selectors.history import values_from_history
from gamify.facts.services import badge_metrics
from participants.catalog import Catalog
from participants.database import Query
from participants.models import Participant, Tenant
from participants.selectors import of_named_participant


@dataclass(frozen=True)
class Progress:
    """`current` is at most `target`."""

    current: Decimal
    target: Decimal


@dataclass(frozen=True)
class BadgeStatus:
    """One badge of one participant. `earned_at` is None until they have it. Only unearned badges with criteria have progress."""

    badge: BadgeDefinition
    earned_at: datetime | None
    progress: Progress | None = None

    @property
    def is_earned(self) -> bool:
        return self.earned_at is not None


AWARDS: Query[BadgeAward] = Query(lambda: of_named_participant(_sorted(BadgeAward.objects.all())))


def badge_statuses(
    participant: Participant | None, catalog: Catalog, *, awards: Sequence[BadgeAward] | None = None
) -> Sequence[BadgeStatus]:
    """All active badges in display order, then inactive badges that the participant has. `awards` are the rows of AWARDS, if read."""
    if awards is None:
        awards = () if participant is None else list(_sorted(BadgeAward.objects.of(participant)))
    active = {badge.id: badge for badge in active_badges(catalog).values()}
    retired = {award.badge_id: badge_definition(award.badge) for award in awards if award.badge_id not in active}
    earned_at = {award.badge_id: award.earned_at for award in awards}
    return [BadgeStatus(badge, earned_at.get(badge.id)) for badge in (*active.values(), *retired.values())]


def _sorted(awards: "QuerySet[BadgeAward]") -> "QuerySet[BadgeAward]":
    return awards.select_related("badge").order_by("badge__display_order", "badge__code")


def only_earned(statuses: Iterable[BadgeStatus]) -> Sequence[BadgeStatus]:
    return [status for status in statuses if status.is_earned]


def with_progress(
    statuses: Sequence[BadgeStatus], participant: Participant | None, *, tenant: Tenant, now: datetime
) -> Sequence[BadgeStatus]:
    """Add progress to the statuses of unearned badges with criteria."""
    criteria = {
        status.badge.id: status.badge.criterion
        for status in statuses
        if status.badge.criterion is not None and not status.is_earned
    }
    if not criteria:
        return statuses
    values = {} if participant is None else _values(tenant, participant, criteria, now=now)
    return [_add_progress(status, criteria.get(status.badge.id), values) for status in statuses]


def _add_progress(status: BadgeStatus, criterion: Criterion | None, values: Mapping[UUID, Decimal]) -> BadgeStatus:
    if criterion is None:
        return status
    current = values.get(status.badge.id, Decimal(0))
    return replace(status, progress=Progress(min(current, criterion.minimum), criterion.minimum))


def _values(
    tenant: Tenant, participant: Participant, criteria: Mapping[UUID, Criterion], *, now: datetime
) -> Mapping[UUID, Decimal]:
    by_events = {badge_id: each for badge_id, each in criteria.items() if each.counts_events}
    by_metric = {badge_id: each for badge_id, each in criteria.items() if not each.counts_events}
    return _event_values(participant, by_events) | _metric_values(tenant, participant, by_metric, now=now)


def _event_values(participant: Participant, criteria: Mapping[UUID, Criterion]) -> dict[UUID, Decimal]:
    """Stored progress. For criteria without stored progress, count the history."""
    if not criteria:
        return {}
    rows = BadgeProgress.objects.of(participant).filter(badge_id__in=criteria)
    known = {row.badge_id: row.value for row in rows if row.revision == criteria[row.badge_id].revision}
    missing = {badge_id: each for badge_id, each in criteria.items() if badge_id not in known}
    return {**known, **values_from_history(participant, missing)}


def _metric_values(
    tenant: Tenant, participant: Participant, criteria: Mapping[UUID, Criterion], *, now: datetime
) -> dict[UUID, Decimal]:
    """Read the metrics. Criteria with the same metric and selector share one read."""
    known: dict[tuple[str, str], Decimal] = {}
    found = {}
    for badge_id, criterion in criteria.items():
        key = criterion.metric, str(sorted(criterion.selector.items()))
        if key not in known:
            values = badge_metrics[criterion.metric].read(tenant, [participant], criterion.selector, now)
            value = values.get(participant.pk)
            known[key] = Decimal(0 if value is None else value.current)
        found[badge_id] = known[key]
    return found
