"""A tenant's endpoints and their deliveries."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from gamify.webhooks.models import Delivery, Endpoint
from participants.engine import uuid_of
from participants.models import Tenant


def find_endpoint(tenant: Tenant, endpoint_id: str) -> Endpoint | None:
    """The tenant's endpoint of this id; None where there is none, or it is no id."""
    pk = uuid_of(endpoint_id)
    return None if pk is None else Endpoint.objects.of(tenant).filter(pk=pk).first()


def deliveries_of(endpoint: Endpoint) -> "QuerySet[Delivery]":
    """Newest event first: its id sorts by time, and so does the index."""
    return Delivery.objects.of(endpoint).order_by("-event_id")


def find_delivery(endpoint: Endpoint, delivery_id: str) -> Delivery | None:
    pk = uuid_of(delivery_id)
    return None if pk is None else Delivery.objects.of(endpoint).filter(pk=pk).first()


def endpoints_with_due_deliveries(*, now: datetime) -> Sequence[Endpoint]:
    """The active endpoints, of all tenants, for which something is due: one look into the index for each."""
    due = Delivery.objects.filter(endpoint_id=OuterRef("pk")).due(now)
    first = Subquery(due.order_by("due_at").values("due_at")[:1])
    found = Endpoint.objects.active().annotate(first_due_at=first).filter(first_due_at__isnull=False)
    return list(found.order_by("first_due_at"))


def due_deliveries_for_update(endpoint: Endpoint, *, now: datetime, limit: int) -> Sequence[Delivery]:
    """The next deliveries of `endpoint`, first due first, held by this transaction; what another one holds is left out."""
    rows = Delivery.objects.filter(endpoint_id=endpoint.pk).due(now).select_for_update(skip_locked=True)
    return list(rows.order_by("due_at", "id").only("id", "tenant_id", "endpoint_id", "event_id")[:limit])
