"""Award a badge to all participants who met its criteria before the badge had any."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gamify.badges.models import BadgeAward
from gamify.badges.selectors import BadgeDefinition, active_badges
from gamify.badges.selectors.history import values_from_histories
from gamify.badges.services.awarding import BadgeNotFound, grant
from gamify.badges.services.progress import progress_loads
from gamify.facts import services as facts
from gamify.facts.services import badge_metrics
from participants.catalog import catalog_of
from participants.errors import DomainError
from participants.models import Participant, Tenant
from participants.work import reading, restartable, unit_for_ids

CHUNK = 500


class BadgeWithoutCriteria(DomainError):
    code = "badge_without_criteria"

    def __init__(self, badge_code: str) -> None:
        super().__init__(f"Badge '{badge_code}' has no criteria")


@dataclass(frozen=True)
class ChunkAwarded:
    """Number of participants in a chunk, and number of those who met the criteria and did not have the badge."""

    participants: int
    eligible: int


def award_to_eligible(
    *, tenant: Tenant, badge_code: str, now: datetime, is_silent: bool = True, is_dry_run: bool = False
) -> Iterator[ChunkAwarded]:
    """Generator: award the badge to all participants who meet its criteria, one chunk of participants per step.

    Participants who have the badge are skipped, so that an interrupted run can be repeated. A dry run awards nothing.

    Raises: BadgeNotFound, BadgeWithoutCriteria.
    """
    badge = _badge_with_criteria(tenant, badge_code)
    last: UUID | None = None
    while people := _next_people(tenant, last):
        last = people[-1].pk
        eligible = eligible_participants(tenant, badge, people, now=now)
        if eligible and not is_dry_run:
            _award(tenant=tenant, badge=badge, people=eligible, is_silent=is_silent, now=now)
        yield ChunkAwarded(len(people), len(eligible))


def _badge_with_criteria(tenant: Tenant, badge_code: str) -> BadgeDefinition:
    badge = active_badges(catalog_of(tenant)).get(badge_code)
    if badge is None:
        raise BadgeNotFound(badge_code)
    if badge.criterion is None:
        raise BadgeWithoutCriteria(badge_code)
    return badge


def _next_people(tenant: Tenant, last: UUID | None) -> Sequence[Participant]:
    people = Participant.objects.of(tenant).filter(anonymized_at=None).order_by("pk")
    return list((people if last is None else people.filter(pk__gt=last))[:CHUNK])


def eligible_participants(
    tenant: Tenant, badge: BadgeDefinition, people: Sequence[Participant], *, now: datetime
) -> Sequence[UUID]:
    """Ids of those of `people` who meet the criteria of the badge and do not have it."""
    criterion = badge.criterion
    assert criterion is not None, "the badge has criteria"  # noqa: S101
    ids = [person.pk for person in people]
    with reading(tenant):
        awards = BadgeAward.objects.filter(tenant_id=tenant.pk, participant_id__in=ids, badge_id=badge.id)
        owners = set(awards.values_list("participant_id", flat=True))
        others = [person for person in people if person.pk not in owners]
        values = _values(tenant, badge, others, now=now)
    return [person.pk for person in others if criterion.is_met_by(values.get(person.pk, Decimal(0)))]


def _values(
    tenant: Tenant, badge: BadgeDefinition, people: Sequence[Participant], *, now: datetime
) -> Mapping[UUID, Decimal]:
    criterion = badge.criterion
    assert criterion is not None, "the badge has criteria"  # noqa: S101
    if criterion.counts_events:
        histories = values_from_histories(people, {badge.id: criterion})
        return {participant_id: counts[badge.id] for participant_id, counts in histories.items()}
    values = badge_metrics[criterion.metric].read(tenant, people, criterion.selector, now)
    return {participant_id: Decimal(value.best) for participant_id, value in values.items()}


@restartable
def _award(*, tenant: Tenant, badge: BadgeDefinition, people: Sequence[UUID], is_silent: bool, now: datetime) -> None:
    with unit_for_ids(
        tenant, people, now=now, loads=progress_loads([badge.id]), waits=True, is_silent=is_silent, is_history=True
    ) as work:
        for participant in work.locked_participants.values():
            grant(work, participant, badge.code, metadata={"source": {"type": "badge", "code": badge.code}})
            facts.publish_changes(work, participant, now=now)
