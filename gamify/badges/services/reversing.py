"""Undo an event: revoke the badges it led to, and subtract it from the progress of badges that count events."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from gamify.badges.models import BadgeAward, BadgeProgress
from gamify.badges.selectors import badges_in
from gamify.badges.selectors.catalog import Listening, badge_definition
from gamify.badges.selectors.history import values_from_history
from gamify.badges.services.awarding import event_data
from gamify.badges.services.metrics import BADGES_COUNT
from gamify.badges.services.progress import progress_loads
from gamify.facts.models import Event
from gamify.facts.services import Undone, badge_metrics
from participants.models import Participant
from participants.work import UnitOfWork

EARNED_WITH_ANOTHER_EVENT = "It was earned with another event"
RECOUNT = 0
"""A revision that no criteria have. A progress row with it is recounted from the history when it is needed next."""

Counting = Sequence[Listening]


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Undo what `event` did to badges.

    - A badge that a definition granted for this event is revoked.
    - A badge that this event earned by criteria is revoked if the criteria are not met without the event. Metrics are read with the
      unwritten changes of the unit, so domains that change them must undo first (`settings.UNDO_ORDER`).
    - A badge that another event earned, or that was awarded by hand, is not revoked.
    """
    listening = badges_in(work.catalog).by_event[event.name]
    counting = [(badge, each) for badge, each in listening if each.counter.matches(event.properties)]
    awards = list(BadgeAward.objects.of(participant).filter(event_id=event.pk).select_related("badge"))
    work.load(progress_loads([*(badge.id for badge, _ in counting), *(award.badge_id for award in awards)]))
    _subtract_event(work, participant, event, counting)
    yield from _revoke_unmet(work, participant, event, awards)
    yield from _earned_with_another_event(work, participant, event, counting)


def _subtract_event(work: UnitOfWork, participant: Participant, event: Event, counting: Counting) -> None:
    """Subtract the event from the progress of unearned badges.

    Counting stops at the minimum, so a row at the minimum does not say how many events there were. It is recounted when needed.
    """
    for badge, criterion in counting:
        row = work.row(BadgeProgress, participant, badge.id)
        if row is None or row.revision != criterion.revision or work.row(BadgeAward, participant, badge.id):
            continue
        if criterion.is_met_by(row.value):
            row.revision = RECOUNT
        row.value -= criterion.counter.amount(event.properties)
        work.change(row)


def _revoke_unmet(
    work: UnitOfWork, participant: Participant, event: Event, awards: Sequence[BadgeAward]
) -> Iterator[Undone]:
    """Revoke badges until all that remain are met. One pass is not enough: badges may be earned by the number of badges."""
    by_events = values_without(participant, event, awards)
    remaining = list(awards)
    while unmet := [award for award in remaining if not is_met(work, participant, award, by_events)]:
        remaining = [award for award in remaining if award not in unmet]
        for award in unmet:
            yield revoke_award(work, participant, award, by_events.get(award.badge_id))


def values_without(
    participant: Participant, event: Event | None, awards: Sequence[BadgeAward]
) -> Mapping[UUID, Decimal]:
    """The progress from all events but `event`, by id of the badge, for those of `awards` whose badge counts events."""
    criteria = {award.badge_id: badge_definition(award.badge).criterion for award in awards}
    counting = {badge_id: each for badge_id, each in criteria.items() if each is not None and each.counts_events}
    nothing = dict.fromkeys(counting, Decimal(0))
    return nothing | dict(values_from_history(participant, counting, without=None if event is None else event.pk))


def is_met(work: UnitOfWork, participant: Participant, award: BadgeAward, by_events: Mapping[UUID, Decimal]) -> bool:
    """Whether its own criteria earned the badge and are met, with progress `by_events` in badges that count events."""
    criterion = badge_definition(award.badge).criterion
    if criterion is None or not is_earned_by_criteria(award):
        return False
    if criterion.counts_events:
        return criterion.is_met_by(by_events[award.badge_id])
    number = badge_metrics[criterion.metric].best_in_unit(work, participant, criterion.selector)
    return criterion.is_met_by(number - (criterion.metric == BADGES_COUNT))  # a badge does not count towards itself


def is_earned_by_criteria(award: BadgeAward) -> bool:
    """Whether its own criteria earned it, and no call or definition granted it."""
    source = award.metadata.get("source")
    return isinstance(source, dict) and source.get("type") == "badge"


def revoke_award(work: UnitOfWork, participant: Participant, award: BadgeAward, value: Decimal | None) -> Undone:
    """Revoke a badge, and store the progress `value` towards it, if it is known. The caller touches the participant."""
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
    """Report badges that another event earned and whose criteria are not met without this event. They are not revoked."""
    earned = {
        badge.id: criterion
        for badge, criterion in counting
        if (award := work.row(BadgeAward, participant, badge.id)) and is_earned_by_criteria(award)
    }
    values = values_from_history(participant, earned, without=event.pk)
    for badge, criterion in counting:
        if badge.id in earned and not criterion.is_met_by(values.get(badge.id, Decimal(0))):
            yield Undone(
                type="badge",
                name=badge.name,
                code=badge.code,
                obstacle=EARNED_WITH_ANOTHER_EVENT,
                is_checked_later=True,
            )
