"""What the ledger, the events and the badges of participants come to on a board: the truth that its scores repeat."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, QuerySet, Sum

from gamify.badges.models import BadgeAward
from gamify.facts.models import Event
from gamify.facts.services import metrics
from gamify.leaderboards.engine.measures import (
    ANY_EVENT,
    BADGES_COUNT,
    DOMAIN,
    EVENT_COUNT,
    EVENT_SUM,
    MAX_SUM,
    POINTS_BALANCE,
    POINTS_EARNED,
    STREAK_CURRENT,
    Measure,
)
from gamify.points.models import EntryType, LedgerEntry
from participants.models import Participant, Tenant

READ_AT_ONCE = 2_000


@dataclass(frozen=True)
class HistoryAmount:
    """What one thing added to a sum, and the instant at which it counts."""

    participant_id: UUID
    amount: int
    at: datetime


@dataclass(frozen=True)
class Level:
    """Where a level stands, since when, and where it stood at some instant before, None where that is not known."""

    score: int
    at: datetime
    score_before: int | None = None


def amounts_in_history(tenant: Tenant, people: Sequence[Participant], measure: Measure) -> Iterator[HistoryAmount]:
    """Everything that ever counted for these participants."""
    ids = [person.pk for person in people]
    return _SUMS[measure.metric](tenant, ids, measure)


def _points(tenant: Tenant, ids: Sequence[UUID], measure: Measure) -> Iterator[HistoryAmount]:
    """Awards when they were made; one that was reversed is taken out of the instant in which it was made."""
    entries = LedgerEntry.objects.filter(tenant_id=tenant.pk, participant_id__in=ids)
    made_at: dict[UUID, datetime] = {}
    for entry in entries.filter(type=EntryType.AWARD).only("participant_id", "delta", "created_at"):
        made_at[entry.pk] = entry.created_at
        yield HistoryAmount(entry.participant_id, entry.delta, entry.created_at)
    for entry in entries.filter(type=EntryType.REVERSAL):
        if entry.reverses_id in made_at:
            yield HistoryAmount(entry.participant_id, entry.delta, made_at[entry.reverses_id])


def _badges(tenant: Tenant, ids: Sequence[UUID], measure: Measure) -> Iterator[HistoryAmount]:
    awards = BadgeAward.objects.filter(tenant_id=tenant.pk, participant_id__in=ids)
    for participant_id, earned_at in awards.values_list("participant_id", "earned_at"):
        yield HistoryAmount(participant_id, 1, earned_at)


def _events(tenant: Tenant, ids: Sequence[UUID], measure: Measure) -> Iterator[HistoryAmount]:
    columns = ("participant_id", "properties", "occurred_at")
    for participant_id, properties, at in _named(tenant, ids, measure).values_list(*columns).iterator(READ_AT_ONCE):
        if amount := measure.amount(properties):
            yield HistoryAmount(participant_id, amount, at)


def _amounts(tenant: Tenant, ids: Sequence[UUID], measure: Measure) -> Iterator[HistoryAmount]:
    """In the order in which they were recorded, without those that were refused then, or that would exceed the limit."""
    totals: defaultdict[UUID, int] = defaultdict(int)
    columns = ("participant_id", "properties", "occurred_at", f"marks__{DOMAIN}")
    events = _named(tenant, ids, measure).order_by("id").values_list(*columns)
    for participant_id, properties, at, marks in events.iterator(READ_AT_ONCE):
        amount = measure.amount(properties)
        if (
            amount
            and totals[participant_id] + amount <= MAX_SUM
            and measure.key not in refused_measure_keys(marks or ())
        ):
            totals[participant_id] += amount
            yield HistoryAmount(participant_id, amount, at)


def _named(tenant: Tenant, ids: Sequence[UUID], measure: Measure) -> QuerySet[Event]:
    events = Event.objects.not_reversed().filter(tenant_id=tenant.pk, participant_id__in=ids)
    return events if measure.event_name == ANY_EVENT else events.filter(name=measure.event_name)


def refused_measure_keys(marks: Iterable[Mapping[str, Any]]) -> Collection[str]:
    """Keys of the measures that refused an event, by what it bears."""
    return {mark["refused"] for mark in marks}


_SUMS: Mapping[str, Callable[[Tenant, Sequence[UUID], Measure], Iterator[HistoryAmount]]] = {
    POINTS_EARNED: _points,
    BADGES_COUNT: _badges,
    EVENT_COUNT: _events,
    EVENT_SUM: _amounts,
}


def current_levels(
    tenant: Tenant, people: Sequence[Participant], measure: Measure, *, now: datetime
) -> Mapping[UUID, int]:
    """Where a level stands for each of them."""
    if measure.metric == POINTS_BALANCE:
        return {person.pk: person.balance for person in people}
    numbers = metrics["streak_count"].values(tenant, people, measure.selector, now)
    is_current = measure.metric == STREAK_CURRENT
    return {who: number.current if is_current else number.best for who, number in numbers.items()}


def levels_since(
    tenant: Tenant, people: Sequence[Participant], measure: Measure, *, since: datetime, now: datetime
) -> Mapping[UUID, Level]:
    """Where a level stands for those who have one, and where it stood at `since`, if that can be told.

    Nobody knows when a run came to where it is: such a level is as old as the participant's last visit.
    """
    scores = current_levels(tenant, people, measure, now=now)
    if measure.metric != POINTS_BALANCE:
        return {each.pk: Level(scores[each.pk], each.last_seen_at) for each in people if scores.get(each.pk)}
    moved = _moved(tenant, [each.pk for each in people], since=since)
    return {
        each.pk: Level(each.balance, moved[each.pk][0], each.balance - moved[each.pk][1])
        for each in people
        if each.pk in moved
    }


def _moved(tenant: Tenant, ids: Iterable[UUID], *, since: datetime) -> Mapping[UUID, tuple[datetime, int]]:
    """When each balance was moved last, and by how much since then."""
    entries = LedgerEntry.objects.filter(tenant_id=tenant.pk, participant_id__in=list(ids))
    rows = entries.order_by().values_list("participant_id")
    found = rows.annotate(last=Max("created_at"), since=Sum("delta", filter=Q(created_at__gte=since), default=0))
    return {participant_id: (last, delta) for participant_id, last, delta in found}
