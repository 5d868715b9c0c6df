"""Reads of endpoints and their deliveries."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from gamify.webhooks.models import Delivery, Endpoint
from participants.models import DomainEvent, Participant, Tenant
from participants.selectors import row_by_id


def find_endpoint(tenant: Tenant, endpoint_id: str) -> Endpoint | None:
    """Return the tenant's endpoint with this id. None if there is none, or if `endpoint_id` is not a UUID."""
    return row_by_id(Endpoint.objects.of(tenant), endpoint_id)


def deliveries_of(endpoint: Endpoint) -> "QuerySet[Delivery]":
    """The deliveries of `endpoint`, newest event first: ids are ordered by time, and the index is too."""
    return Delivery.objects.of(endpoint).order_by("-event_id")


def undelivered_of(participant: Participant) -> "QuerySet[Delivery]":
    """The pending deliveries of domain events about a participant, to all endpoints of the tenant."""
    events = DomainEvent.objects.filter(tenant_id=participant.tenant_id, participant_id=participant.pk)
    pending = Delivery.objects.filter(endpoint__tenant_id=participant.tenant_id, due_at__isnull=False)
    return pending.filter(tenant_id=participant.tenant_id, event_id__in=events.values("pk"))


def find_delivery(endpoint: Endpoint, delivery_id: str) -> Delivery | None:
    return row_by_id(Delivery.objects.of(endpoint), delivery_id)


def endpoints_with_due_deliveries(*, now: datetime) -> Sequence[Endpoint]:
    """The active endpoints of all tenants that have due deliveries, the longest due first. One index lookup per endpoint."""
    due = Delivery.objects.filter(endpoint_id=OuterRef("pk")).due(now)
    first = Subquery(due.order_by("due_at").values("due_at")[:1])
    found = Endpoint.objects.active().annotate(first_due_at=first).filter(first_due_at__isnull=False)
    return list(found.order_by("first_due_at"))


def due_deliveries_for_update(endpoint: Endpoint, *, now: datetime, limit: int) -> Sequence[Delivery]:
    """Lock and return the next due deliveries of `endpoint`, the longest due first. Rows that are locked already are skipped."""
    rows = Delivery.objects.filter(endpoint_id=endpoint.pk).due(now).select_for_update(skip_locked=True)
    return list(rows.order_by("due_at", "id").only("id", "tenant_id", "endpoint_id", "event_id")[:limit])
