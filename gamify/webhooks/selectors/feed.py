"""The outbox as readers see it: the events that have a position, in its order."""

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
    """What a reader wants to see: only these types, where any are named, and only of this participant, where one is."""

    types: Collection[str] | None = None
    external_id: str | None = None


@dataclass(frozen=True)
class FeedPage:
    """The events behind a cursor, as many as were asked for, and the cursor behind them.

    `cursor` also stands behind those that were left out since they were not wanted; whatever comes later has a higher one.
    """

    events: Sequence[DomainEvent]
    cursor: int
    has_more: bool


def feed_head(tenant: Tenant) -> FeedHead:
    return FeedHead.objects.filter(pk=tenant.pk).first() or FeedHead(tenant=tenant)


def feed_page(tenant: Tenant, following: FeedFilter, *, after: int, limit: int) -> FeedPage:
    """The head is read first: every position up to it is visible to the query behind it."""
    head = feed_head(tenant).position
    found = list(_wanted(tenant, following).filter(position__gt=after).order_by("position")[: limit + 1])
    events = found[:limit]
    if len(found) > limit:
        return FeedPage(events, _position(events[-1]), has_more=True)
    return FeedPage(events, max([head, after, *map(_position, events)]), has_more=False)


def _wanted(tenant: Tenant, following: FeedFilter) -> "QuerySet[DomainEvent]":
    rows = DomainEvent.objects.filter(tenant_id=tenant.pk)
    if following.types is not None:
        rows = rows.filter(type__in=following.types)
    if following.external_id is not None:
        bearer = Participant.objects.of(tenant).filter(external_id=following.external_id)
        rows = rows.filter(participant_id__in=bearer.values("pk"))
    return rows


def _position(event: DomainEvent) -> int:
    assert event.position is not None, "it was found by its position"  # noqa: S101
    return event.position


def events_without_position() -> "QuerySet[DomainEvent]":
    return DomainEvent.objects.filter(position=None)


def next_events_without_position(tenant_id: UUID, *, limit: int) -> Sequence[DomainEvent]:
    """Events of a tenant that have no position, in the order in which each participant's were committed.

    A participant's events are written behind their lock. So the clock of the database, which all writers share, never shows the
    later one an earlier time; the events of one statement show the same time, and have ids in order. SQLite's clock is
    coarser, but its rows are numbered as they are written.
    """
    rows = events_without_position().filter(tenant_id=tenant_id).only("id", "tenant_id", "type")
    is_sqlite = connection.vendor == "sqlite"
    in_order = rows.order_by(RawSQL("rowid", ())) if is_sqlite else rows.order_by(F("written_at"), "id")
    return list(in_order[:limit])
