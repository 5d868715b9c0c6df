"""Claims due deliveries for this worker: it moves their due time ahead by more than a try can take."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from gamify.webhooks.engine.messages import message_bytes, message_of
from gamify.webhooks.engine.schedule import is_doubtful, is_down
from gamify.webhooks.models import Delivery, Endpoint
from gamify.webhooks.selectors.endpoints import due_deliveries_for_update, endpoints_with_due_deliveries
from gamify.webhooks.services.secrets import secrets_of
from gamify.webhooks.services.sending import Post
from participants.database import Among, Query, update, values_for_among
from participants.events import event_types
from participants.ids import new_id
from participants.models import DomainEvent

LEASE = timedelta(seconds=45)
MARGIN_SECONDS = 5.0
CLAIM_SIZE = 512
"""Deliveries that a worker holds for one endpoint. It claims more when half of them are sent."""
DOUBTFUL_CLAIM_SIZE = 16
"""Deliveries that a worker holds for an endpoint that failed lately. For an endpoint that is down, it is 1."""


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery that this worker holds under `lease`. Its try may start until `start_by` (monotonic seconds)."""

    delivery_id: UUID
    tenant_id: UUID
    endpoint_id: UUID
    lease: UUID
    start_by: float
    post: Post


@dataclass(frozen=True)
class ClaimedBatch:
    """The deliveries that were claimed for one endpoint. A doubtful endpoint failed lately; one that is down only fails."""

    endpoint_id: UUID
    is_doubtful: bool
    is_down: bool
    deliveries: Sequence[ClaimedDelivery]


@dataclass(frozen=True)
class Capacity:
    """What a worker has capacity for: its free threads, how many of them doubtful endpoints may use, and the number of deliveries that
    it already holds for each endpoint (waiting or being sent).
    """

    free: int
    free_for_doubtful: int
    held: Mapping[UUID, int]


def seconds_to_start() -> float:
    """Return how many seconds after the claim a try may still start. It must end before the lease does."""
    timeout: float = settings.WEBHOOK_TIMEOUT_SECONDS
    return LEASE.total_seconds() - timeout - MARGIN_SECONDS


def claim_due(*, capacity: Capacity, now: datetime) -> list[ClaimedBatch]:
    """Claim due deliveries for endpoints that have a thread or can get one. Endpoints that work come first."""
    shares = _shares(endpoints_with_due_deliveries(now=now), capacity, now=now)
    if not shares:
        return []
    start_by, lease = time.monotonic() + seconds_to_start(), new_id()
    with transaction.atomic():
        found = [(endpoint, _lease(endpoint, number, lease=lease, now=now)) for endpoint, number in shares]
    events = _events_of([row for _, rows in found for row in rows])
    return [_batch(endpoint, rows, events, lease=lease, start_by=start_by, now=now) for endpoint, rows in found if rows]


def _lease(endpoint: Endpoint, number: int, *, lease: UUID, now: datetime) -> Sequence[Delivery]:
    rows = due_deliveries_for_update(endpoint, now=now, limit=number)
    for row in rows:
        row.due_at, row.lease = now + LEASE, lease
    if rows:
        update(connection, rows, ["due_at", "lease"])
    return rows


def _shares(endpoints: Sequence[Endpoint], room: Capacity, *, now: datetime) -> list[tuple[Endpoint, int]]:
    """Return how many deliveries to claim for each endpoint, so that its threads need not pause once half of them are sent."""
    free = {True: room.free_for_doubtful, False: room.free}
    shares = []
    for doubtful, endpoint in sorted(((_is_doubtful(each, now), each) for each in endpoints), key=itemgetter(0)):
        held, depth = room.held.get(endpoint.pk, 0), _depth(endpoint, now)
        if not held and min(free[doubtful], free[False]) <= 0:
            continue
        free[doubtful] -= not held
        free[False] -= doubtful and not held
        if held <= depth // 2:
            shares.append((endpoint, depth - held))
    return shares


def _is_doubtful(endpoint: Endpoint, now: datetime) -> bool:
    return endpoint.failing_since is not None or is_doubtful(endpoint.failed_at, now=now)


def _depth(endpoint: Endpoint, now: datetime) -> int:
    if is_down(endpoint.failing_since, now=now):
        return 1
    return DOUBTFUL_CLAIM_SIZE if _is_doubtful(endpoint, now) else CLAIM_SIZE


def _events_of(rows: Sequence[Delivery]) -> Mapping[UUID, DomainEvent]:
    """Return the events of `rows` by id. A delivery whose event was erased with its participant is deleted: there is nothing to send."""
    if not rows:
        return {}
    ids, size = values_for_among([row.event_id for row in rows], connection)
    events = {event.pk: event for event in _EVENTS.execute(connection, {"ids": ids}, size=size)()}
    if gone := [row.pk for row in rows if row.event_id not in events]:
        Delivery.objects.filter(pk__in=gone).delete()
    return events


def _declare_events(*, size: int) -> "QuerySet[DomainEvent]":
    rows = DomainEvent.objects.filter(Among("id", "ids", DomainEvent._meta.pk, size=size))
    return rows.only("id", "tenant_id", "type", "occurred_at", "data", "actor", "actor_label", "request_id")


_EVENTS = Query(_declare_events)


def _batch(
    endpoint: Endpoint,
    rows: Sequence[Delivery],
    events: Mapping[UUID, DomainEvent],
    *,
    lease: UUID,
    start_by: float,
    now: datetime,
) -> ClaimedBatch:
    secrets = secrets_of(endpoint, now=now)
    claims = [
        ClaimedDelivery(
            row.pk, row.tenant_id, endpoint.pk, lease, start_by, _post(endpoint, events[row.event_id], secrets)
        )
        for row in sorted(rows, key=lambda row: row.event_id)
        if row.event_id in events
    ]
    return ClaimedBatch(endpoint.pk, _is_doubtful(endpoint, now), is_down(endpoint.failing_since, now=now), claims)


def _post(endpoint: Endpoint, event: DomainEvent, secrets: Sequence[str]) -> Post:
    return Post(endpoint.url, str(event.pk), schema_version(event), message_bytes(message_of(event)), secrets)


def schema_version(event: DomainEvent) -> int:
    """The version of the schema of the event's data."""
    return event_types[event.type].version if event.type in event_types else 1
