"""Badges for those who had met the criteria before there were any: everybody is looked at, once, in chunks."""

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
    """How many participants were looked at, and how many of them meet the criteria and did not have the badge."""

    participants: int
    eligible: int


def award_to_eligible(
    *, tenant: Tenant, badge_code: str, now: datetime, is_silent: bool = True, is_dry_run: bool = False
) -> Iterator[ChunkAwarded]:
    """Give the badge to everyone who meets its criteria, a chunk each time it is asked. Whoever has it keeps theirs: stopped
    and begun again, it does what is left. A dry run says whom it would give it to, and gives nothing.

    Raises BadgeNotFound or NothingToMeet.
    """
    badge = _badge_with_criteria(tenant, badge_code)
    last: UUID | None = None
    while people := _next_people(tenant, last):
        last = people[-1].pk
        met = eligible_participants(tenant, badge, people, now=now)
        if met and not is_dry_run:
            _award(tenant=tenant, badge=badge, people=met, is_silent=is_silent, now=now)
        yield ChunkAwarded(len(people), len(met))


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
    """The ids of those among `people` who meet the criteria and do not have the badge."""
    criterion = badge.criterion
    assert criterion is not None, "asked of badges with criteria"  # noqa: S101
    ids = [person.pk for person in people]
    with reading(tenant):
        awards = BadgeAward.objects.filter(tenant_id=tenant.pk, participant_id__in=ids, badge_id=badge.id)
        having = set(awards.values_list("participant_id", flat=True))
        others = [person for person in people if person.pk not in having]
        values = _values(tenant, badge, others, now=now)
    return [person.pk for person in others if criterion.is_met_by(values.get(person.pk, Decimal(0)))]


def _values(
    tenant: Tenant, badge: BadgeDefinition, people: Sequence[Participant], *, now: datetime
) -> Mapping[UUID, Decimal]:
    criterion = badge.criterion
    assert criterion is not None, "asked of badges with criteria"  # noqa: S101
    if criterion.counts_events:
        found = values_from_histories(people, {badge.id: criterion})
        return {participant_id: values[badge.id] for participant_id, values in found.items()}
    numbers = badge_metrics[criterion.metric].read(tenant, people, criterion.selector, now)
    return {participant_id: Decimal(number.best) for participant_id, number in numbers.items()}


@restartable
def _award(*, tenant: Tenant, badge: BadgeDefinition, people: Sequence[UUID], is_silent: bool, now: datetime) -> None:
    with unit_for_ids(
        tenant, people, now=now, loads=progress_loads([badge.id]), waits=True, is_silent=is_silent, is_history=True
    ) as work:
        for participant in work.locked_participants.values():
            grant(work, participant, badge.code, metadata={"source": {"type": "badge", "code": badge.code}})
            facts.publish_changes(work, participant, now=now)
