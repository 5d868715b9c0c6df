"""The outbox as readers of the feed see it: events that have a position, in its order."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL

from gamify.webhooks.models import FeedHead
from participants.models import DomainEvent, Participant, Tenant


@dataclass(frozen=True)
class FeedFilter:
    """Which events a reader wants: only these types (None: all), and only of this participant (None: all)."""

    types: Collection[str] | None = None
    external_id: str | None = None


@dataclass(frozen=True)
class FeedPage:
    """The events after a cursor, and the cursor for the next call.

    `cursor` is also after events that the filter excluded. Every later event has a higher position.
    """

    events: Sequence[DomainEvent]
    cursor: int
    has_more: bool


def feed_head(tenant: Tenant) -> FeedHead:
    return FeedHead.objects.filter(pk=tenant.pk).first() or FeedHead(tenant=tenant)


def feed_page(tenant: Tenant, feed_filter: FeedFilter, *, after: int, limit: int) -> FeedPage:
    """Return up to `limit` events after position `after`. The head is read first: the query after it sees all positions up to it."""
    head = feed_head(tenant).position
    found = list(_filtered(tenant, feed_filter).filter(position__gt=after).order_by("position")[: limit + 1])
    events = found[:limit]
    if len(found) > limit:
        return FeedPage(events, _position(events[-1]), has_more=True)
    return FeedPage(events, max([head, after, *map(_position, events)]), has_more=False)


def _filtered(tenant: Tenant, feed_filter: FeedFilter) -> "QuerySet[DomainEvent]":
    rows = DomainEvent.objects.filter(tenant_id=tenant.pk)
    if feed_filter.types is not None:
        rows = rows.filter(type__in=feed_filter.types)
    if feed_filter.external_id is not None:
        participant = Participant.objects.of(tenant).filter(external_id=feed_filter.external_id)
        rows = rows.filter(participant_id__in=participant.values("pk"))
    return rows


def _position(event: DomainEvent) -> int:
    assert event.position is not None, "the query selects by position"  # noqa: S101
    return event.position


def events_without_position() -> "QuerySet[DomainEvent]":
    return DomainEvent.objects.filter(position=None)


def next_events_without_position(tenant_id: UUID, *, limit: int) -> Sequence[DomainEvent]:
    """Return up to `limit` events of a tenant without a position. Events of one participant are in the order of their commits.

    A participant's events are written while the participant is locked. So the clock of the database, which all writers share, never
    gives a later event an earlier time. Events of one statement have the same time, and their ids are in order. The clock of SQLite is
    coarser, but it numbers rows in the order in which they are written.
    """
    rows = events_without_position().filter(tenant_id=tenant_id).only("id", "tenant_id", "type")
    is_sqlite = connection.vendor == "sqlite"
    in_order = rows.order_by(RawSQL("rowid", ())) if is_sqlite else rows.order_by(F("written_at"), "id")
    return list(in_order[:limit])
