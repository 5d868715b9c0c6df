"""Scores as the ledger, the events and the badges of participants give them. Stored scores must agree with this."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from gamify.facts.engine.listeners import ANY_EVENT
from gamify.facts.models import Event
from gamify.facts.services import HistoryAmount, board_metrics
from gamify.leaderboards.engine.measures import DOMAIN, MAX_SUM, Measure
from participants.models import Participant, Tenant

READ_AT_ONCE = 2_000


@dataclass(frozen=True)
class Level:
    """A level now, the instant at which it was reached, and the level at an earlier instant (None if unknown)."""

    score: int
    at: datetime
    score_before: int | None = None


def amounts_in_history(tenant: Tenant, people: Sequence[Participant], measure: Measure) -> Iterator[HistoryAmount]:
    """All amounts that these participants have for a measure that is a sum."""
    ids = [person.pk for person in people]
    if measure.counts_events:
        return _amounts(tenant, ids, measure) if measure.is_property_sum else _events(tenant, ids, measure)
    history = board_metrics[measure.metric].history
    assert history is not None, "sums have a history"  # noqa: S101
    return iter(history(tenant, ids))


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


def current_levels(
    tenant: Tenant, people: Sequence[Participant], measure: Measure, *, now: datetime
) -> Mapping[UUID, int]:
    """The current level of each participant, by id."""
    values = board_metrics[measure.metric].read(tenant, people, measure.selector, now)
    return {participant_id: value.best for participant_id, value in values.items()}


def has_known_moves(measure: Measure) -> bool:
    """Whether the past of a level is stored: when it changed, and by how much."""
    return board_metrics[measure.metric].last_moves is not None


def levels_since(
    tenant: Tenant, people: Sequence[Participant], measure: Measure, *, since: datetime, now: datetime
) -> Mapping[UUID, Level]:
    """The levels of participants who have one, with the level at the instant `since` where it is known.

    The instant at which a streak reached its length, for example, is not stored. Then `last_seen_at` is used.
    """
    scores = current_levels(tenant, people, measure, now=now)
    last_moves = board_metrics[measure.metric].last_moves
    if last_moves is None:
        return {each.pk: Level(scores[each.pk], each.last_seen_at) for each in people if scores.get(each.pk)}
    moves = last_moves(tenant, [each.pk for each in people], since=since)
    return {
        each.pk: Level(scores[each.pk], moves[each.pk][0], scores[each.pk] - moves[each.pk][1])
        for each in people
        if each.pk in moves
    }
