"""Assigns feed positions to committed events and creates their deliveries, in one transaction.

Ids are made before their transaction commits. So a reader that follows ids, or times, would skip events that commit late.
Positions are assigned to committed events only, by one transaction at a time per tenant: no event is ever added before a position.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from gamify.webhooks.engine.globs import is_wanted
from gamify.webhooks.models import Delivery, DeliveryStatus, Endpoint, FeedHead
from gamify.webhooks.selectors.feed import events_without_position, next_events_without_position
from participants.database import insert, instance_from, update
from participants.ids import new_id
from participants.models import DomainEvent

CHUNK = 1_000
TEST_EVENT = "webhook.test"


def assign_all_positions(*, now: datetime) -> int:
    """Assign positions in the feeds of all tenants, one chunk each. Returns the number of events."""
    waiting = events_without_position().order_by().values_list("tenant_id", flat=True).distinct()
    return sum(assign_positions(tenant_id=tenant_id, now=now) for tenant_id in list(waiting))


@transaction.atomic
def assign_positions(*, tenant_id: UUID, now: datetime) -> int:
    """Assign the next positions of a tenant's feed, at most CHUNK. Returns the number of events."""
    head = _lock_head(tenant_id)
    events = next_events_without_position(tenant_id, limit=CHUNK)
    if not events:
        return 0
    for position, event in enumerate(events, start=head.position + 1):
        event.position = position
    update(connection, events, ["position"])
    _create_deliveries(tenant_id, events, now=now)
    head.position += len(events)
    head.save(update_fields=["position"])
    return len(events)


def _lock_head(tenant_id: UUID) -> FeedHead:
    """Lock the head before reading events: the next transaction then finds everything that was committed meanwhile."""
    heads = FeedHead.objects.select_for_update()
    head = heads.filter(pk=tenant_id).first()
    if head is None:
        FeedHead.objects.bulk_create([FeedHead(tenant_id=tenant_id)], ignore_conflicts=True)
        head = heads.get(pk=tenant_id)
    return head


def _create_deliveries(tenant_id: UUID, events: Sequence[DomainEvent], *, now: datetime) -> None:
    endpoints = list(Endpoint.objects.filter(tenant_id=tenant_id).active())
    rows = [
        delivery_of(endpoint, event, now=now)
        for endpoint in endpoints
        for event in events
        if is_due_to(endpoint, event)
    ]
    if rows:
        insert(connection, rows)


def is_due_to(endpoint: Endpoint, event: DomainEvent) -> bool:
    """Whether `endpoint` subscribes to `event`. A test event already has its only delivery."""
    return event.type != TEST_EVENT and is_wanted(event.type, endpoint.event_types)


def delivery_of(endpoint: Endpoint, event: DomainEvent, *, now: datetime) -> Delivery:
    return instance_from(
        Delivery,
        {
            "id": new_id(),
            "tenant_id": endpoint.tenant_id,
            "endpoint_id": endpoint.pk,
            "event_id": event.pk,
            "type": event.type,
            "status": DeliveryStatus.PENDING,
            "tries": 0,
            "due_at": now,
            "lease": None,
            "log": [],
            "created_at": now,
            "finished_at": None,
        }.items(),
    )
