"""An event is undone: badges that came of it go, and those that count events count one less."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from gamify.badges.engine import Criterion
from gamify.badges.models import BadgeAward, BadgeProgress
from gamify.badges.selectors import BadgeDefinition, badges_in
from gamify.badges.selectors.catalog import badge_definition
from gamify.badges.selectors.history import values_from_history
from gamify.badges.services.awarding import event_data
from gamify.badges.services.progress import progress_loads
from gamify.facts.models import Event
from gamify.facts.services import Undone, metrics
from participants.models import Participant
from participants.work import UnitOfWork

BADGES_COUNT = "badges_count"
EARNED_WITH_ANOTHER_EVENT = "It was earned with another event"
RECOUNT = 0
"""A number that no criteria have: what is counted under it is counted anew from the history."""

Counting = Sequence[tuple[BadgeDefinition, Criterion]]


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """A badge given by a definition goes. One that was earned by its criteria goes if they are not met without the event, which
    is asked of every number as it stands in the unit: whoever changes numbers undoes before. What came of another event, or was
    given by hand, stays.
    """
    counting = [(badge, each) for badge, each in _listening(work, event) if each.matches(event.properties)]
    awards = list(BadgeAward.objects.of(participant).filter(event_id=event.pk).select_related("badge"))
    work.load(progress_loads([*(badge.id for badge, _ in counting), *(award.badge_id for award in awards)]))
    _subtract_event(work, participant, event, counting)
    yield from _revoke_unmet(work, participant, event, awards)
    yield from _earned_with_another_event(work, participant, event, counting)


def _listening(work: UnitOfWork, event: Event) -> Iterable[tuple[BadgeDefinition, Criterion]]:
    return badges_in(work.catalog).by_event[event.name]


def _subtract_event(work: UnitOfWork, participant: Participant, event: Event, counting: Counting) -> None:
    """In the counters of badges that are not earned. One that is full may have been counted further; it is counted anew when it
    is needed next.
    """
    for badge, criterion in counting:
        row = work.row(BadgeProgress, participant, badge.id)
        if row is None or row.revision != criterion.revision or work.row(BadgeAward, participant, badge.id):
            continue
        if criterion.is_met_by(row.value):
            row.revision = RECOUNT
        row.value -= criterion.amount(event.properties)
        work.change(row)


def _revoke_unmet(
    work: UnitOfWork, participant: Participant, event: Event, awards: Sequence[BadgeAward]
) -> Iterator[Undone]:
    """Until no more goes, since badges may be earned by the number of badges."""
    by_events = _values(participant, event, awards)
    left = list(awards)
    while gone := [award for award in left if not _is_met(work, participant, award, by_events)]:
        left = [award for award in left if award not in gone]
        for award in gone:
            yield _revoke(work, participant, award, by_events.get(award.badge_id))


def _values(participant: Participant, event: Event, awards: Sequence[BadgeAward]) -> Mapping[UUID, Decimal]:
    """What other events come to, for the badges among these that count events."""
    criteria = {award.badge_id: badge_definition(award.badge).criterion for award in awards}
    counting = {badge_id: each for badge_id, each in criteria.items() if each is not None and each.counts_events}
    nothing = dict.fromkeys(counting, Decimal(0))
    return nothing | dict(values_from_history(participant, counting, without=event.pk))


def _is_met(work: UnitOfWork, participant: Participant, award: BadgeAward, by_events: Mapping[UUID, Decimal]) -> bool:
    criterion = badge_definition(award.badge).criterion
    if criterion is None or not is_earned_by_criteria(award):
        return False
    if criterion.counts_events:
        return criterion.is_met_by(by_events[award.badge_id])
    number = metrics[criterion.metric].best_in_unit(work, participant, criterion.selector)
    return criterion.is_met_by(number - (criterion.metric == BADGES_COUNT))  # a badge does not earn itself


def is_earned_by_criteria(award: BadgeAward) -> bool:
    """Whether nobody and nothing else gave it."""
    source = award.metadata.get("source")
    return isinstance(source, dict) and source.get("type") == "badge"


def _revoke(work: UnitOfWork, participant: Participant, award: BadgeAward, value: Decimal | None) -> Undone:
    badge = badge_definition(award.badge)
    work.remove(award)
    participant.badge_count -= 1
    row = work.row(BadgeProgress, participant, badge.id)
    if row is not None and value is not None and badge.criterion is not None:
        row.value, row.revision = value, badge.criterion.revision
        work.change(row)
    work.emit("badge.revoked", participant, {**event_data(badge), "earned_at": award.earned_at.isoformat()})
    return Undone(type="badge", name=badge.name, code=badge.code)


def _earned_with_another_event(
    work: UnitOfWork, participant: Participant, event: Event, counting: Counting
) -> Iterator[Undone]:
    """Those that were earned with another event, and would not be without this one."""
    earned = {
        badge.id: criterion
        for badge, criterion in counting
        if (award := work.row(BadgeAward, participant, badge.id)) and is_earned_by_criteria(award)
    }
    values = values_from_history(participant, earned, without=event.pk)
    for badge, criterion in counting:
        if badge.id in earned and not criterion.is_met_by(values.get(badge.id, Decimal(0))):
            yield Undone(type="badge", name=badge.name, code=badge.code, kept=EARNED_WITH_ANOTHER_EVENT)
