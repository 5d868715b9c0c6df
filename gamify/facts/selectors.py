"""Reads of events."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import structlog

from gamify.facts.engine.expressions import MATCHES_NOTHING, CompiledExpression, MalformedExpression
from gamify.facts.models import PRUNED, Event, EventQuerySet
from participants.database import AmongRows
from participants.errors import NotFound
from participants.models import Participant, Tenant

logger = structlog.get_logger(__name__)


def compile_or_match_nothing(
    compile_document: Callable[[Mapping[str, Any]], CompiledExpression],
    document: Mapping[str, Any],
    *,
    log_event: str,
    **owner: str,
) -> CompiledExpression:
    """Compile a stored expression or filter. A malformed one is logged and matches nothing.

    It was stored before documents were validated. An exception here would make the whole catalog of the tenant unusable. `log_event` and
    `owner`, such as `rule=str(row.pk)`, are the entry of the log.
    """
    try:
        return compile_document(document)
    except MalformedExpression as malformed:
        logger.warning(log_event, **owner, problem=str(malformed))
        return MATCHES_NOTHING


@dataclass(frozen=True)
class EventPage:
    """One page of events, newest first, and the number of events on all pages."""

    events: Sequence[Event]
    total: int


NEWEST = 200


def newest_events(tenant: Tenant) -> Sequence[Event]:
    """Return the newest events of all participants, at most NEWEST, with their names and properties only."""
    rows = Event.objects.filter(tenant_id=tenant.pk).order_by("-id").only("id", "name", "properties")
    return list(rows[:NEWEST])


class EventNotFound(NotFound):
    code = "event_not_found"
    noun = "Event"


@dataclass(frozen=True)
class EventExplanation:
    """An event with its decision trace. If the trace was pruned, nothing else is known."""

    event: Event
    is_pruned: bool
    facts: Sequence[Mapping[str, Any]] = ()
    granted: Sequence[Mapping[str, Any]] = ()
    refused: Sequence[Mapping[str, Any]] = ()
    cut: Sequence[str] = ()


def event_explanation(tenant: Tenant, event_id: str) -> EventExplanation:
    """Return an event with its decision trace. Raises: EventNotFound."""
    event = event_by_id(tenant, event_id)
    trace = event.trace or {}
    is_pruned = trace == PRUNED
    return EventExplanation(event, is_pruned, **({} if is_pruned else trace))


def event_by_id(tenant: Tenant, event_id: str) -> Event:
    """Return an event with its participant. Raises: EventNotFound, also for an event of another tenant and for a text that is no id."""
    try:
        found = Event.objects.filter(tenant_id=tenant.pk, pk=UUID(event_id)).select_related("participant").first()
    except ValueError:
        found = None
    if found is None:
        raise EventNotFound(event_id)
    return found


def others_of(event: Event) -> EventQuerySet:
    """The participant's other events that are not reversed, in no particular order."""
    others = Event.objects.filter(tenant_id=event.tenant_id, participant_id=event.participant_id)
    return others.not_reversed().exclude(pk=event.pk)


def events_at(tenant: Tenant, moments: Collection[tuple[UUID, str, datetime]]) -> Sequence[Event]:
    """Return the events at `moments`, each (id of the participant, name of the event, time); reversed events are included.

    One statement reads them, with one look-up in the index `event_history_by_name` per moment.
    """
    if not moments:
        return ()
    found = Event.objects.filter(AmongRows(("participant", "name", "occurred_at"), list(moments)), tenant_id=tenant.pk)
    return list(found.only("participant_id", "name", "occurred_at", "properties").order_by())


def events_page(
    participant: Participant | None,
    *,
    page: int,
    page_size: int,
    event_name: str | None = None,
    from_date: date | None = None,
    to_date: date | None = None,
) -> EventPage:
    """Return a page of the participant's events, by name and by day in UTC. Both days are included; `page` begins at 1."""
    if participant is None:
        return EventPage((), 0)
    named = {} if event_name is None else {"name": event_name}
    found = Event.objects.of(participant).filter(**named, **_period(from_date, to_date))
    total, start = found.count(), (page - 1) * page_size
    events = found.newest_first()[start : start + page_size] if start < total else ()
    return EventPage(tuple(events), total)


def _period(first: date | None, last: date | None) -> Mapping[str, datetime]:
    bounds = {}
    if first is not None:
        bounds["occurred_at__gte"] = _midnight(first)
    if last is not None and last < date.max:  # no day follows date.max
        bounds["occurred_at__lt"] = _midnight(last + timedelta(days=1))
    return bounds


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
