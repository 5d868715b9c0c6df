"""Scores as the ledger, the events and the badges of participants give them. Stored scores must agree with this."""

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
    """An amount in the history of a participant, and the instant at which it counts."""

    participant_id: UUID
    amount: int
    at: datetime


@dataclass(frozen=True)
class Level:
    """A level now, the instant at which it was reached, and the level at an earlier instant (None if unknown)."""

    score: int
    at: datetime
    score_before: int | None = None


def amounts_in_history(tenant: Tenant, people: Sequence[Participant], measure: Measure) -> Iterator[HistoryAmount]:
    """All amounts that these participants have for a measure that is a sum."""
    ids = [person.pk for person in people]
    return _SUMS[measure.metric](tenant, ids, measure)


def _points(tenant: Tenant, ids: Sequence[UUID], measure: Measure) -> Iterator[HistoryAmount]:
    """Awards at the instant of the award. A reversal is a negative amount at the same instant."""
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
    for participant_id, properties, at in _events_of(tenant, ids, measure).values_list(*columns).iterator(READ_AT_ONCE):
        if amount := measure.amount(properties):
            yield HistoryAmount(participant_id, amount, at)


def _amounts(tenant: Tenant, ids: Sequence[UUID], measure: Measure) -> Iterator[HistoryAmount]:
    """The amounts of a property in the order of recording, without those that were refused or would exceed MAX_SUM."""
    totals: defaultdict[UUID, int] = defaultdict(int)
    columns = ("participant_id", "properties", "occurred_at", f"marks__{DOMAIN}")
    events = _events_of(tenant, ids, measure).order_by("id").values_list(*columns)
    for participant_id, properties, at, undo_notes in events.iterator(READ_AT_ONCE):
        amount = measure.amount(properties)
        if (
            amount
            and totals[participant_id] + amount <= MAX_SUM
            and measure.key not in refused_measure_keys(undo_notes or ())
        ):
            totals[participant_id] += amount
            yield HistoryAmount(participant_id, amount, at)


def _events_of(tenant: Tenant, ids: Sequence[UUID], measure: Measure) -> QuerySet[Event]:
    events = Event.objects.not_reversed().filter(tenant_id=tenant.pk, participant_id__in=ids)
    return events if measure.event_name == ANY_EVENT else events.filter(name=measure.event_name)


def refused_measure_keys(undo_notes: Iterable[Mapping[str, Any]]) -> Collection[str]:
    """The keys of the measures that refused an event. `undo_notes` are those of this domain."""
    return {note["refused"] for note in undo_notes}


_SUMS: Mapping[str, Callable[[Tenant, Sequence[UUID], Measure], Iterator[HistoryAmount]]] = {
    POINTS_EARNED: _points,
    BADGES_COUNT: _badges,
    EVENT_COUNT: _events,
    EVENT_SUM: _amounts,
}


def current_levels(
    tenant: Tenant, people: Sequence[Participant], measure: Measure, *, now: datetime
) -> Mapping[UUID, int]:
    """The current level of each participant, by id."""
    if measure.metric == POINTS_BALANCE:
        return {person.pk: person.balance for person in people}
    numbers = metrics["streak_count"].values(tenant, people, measure.selector, now)
    is_current = measure.metric == STREAK_CURRENT
    return {participant_id: number.current if is_current else number.best for participant_id, number in numbers.items()}


def levels_since(
    tenant: Tenant, people: Sequence[Participant], measure: Measure, *, since: datetime, now: datetime
) -> Mapping[UUID, Level]:
    """The levels of participants who have one, with the level at the instant `since` where it is known.

    Only balances have a history. The instant at which a streak reached its length is not stored, so `last_seen_at` is used.
    """
    scores = current_levels(tenant, people, measure, now=now)
    if measure.metric != POINTS_BALANCE:
        return {each.pk: Level(scores[each.pk], each.last_seen_at) for each in people if scores.get(each.pk)}
    changes = _balance_changes(tenant, [each.pk for each in people], since=since)
    return {
        each.pk: Level(each.balance, changes[each.pk][0], each.balance - changes[each.pk][1])
        for each in people
        if each.pk in changes
    }


def _balance_changes(tenant: Tenant, ids: Iterable[UUID], *, since: datetime) -> Mapping[UUID, tuple[datetime, int]]:
    """For each balance, the instant of its last change and the sum of its changes since `since`."""
    entries = LedgerEntry.objects.filter(tenant_id=tenant.pk, participant_id__in=list(ids))
    rows = entries.order_by().values_list("participant_id")
    found = rows.annotate(last=Max("created_at"), since=Sum("delta", filter=Q(created_at__gte=since), default=0))
    return {participant_id: (last, delta) for participant_id, last, delta in found}
