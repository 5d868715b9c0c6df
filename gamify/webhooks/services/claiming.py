"""Takes what is due, for this worker alone: the time at which it would be due again is put ahead by more than a try can take."""

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
"""Deliveries that a worker holds for one endpoint; more are claimed once half of them are sent."""
DOUBTFUL_CLAIM_SIZE = 16
"""For one that failed lately; for one that is down, a single one."""


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery that this worker holds under `lease`, and may begin to send until `start_by` (monotonic seconds)."""

    delivery_id: UUID
    tenant_id: UUID
    endpoint_id: UUID
    lease: UUID
    start_by: float
    post: Post


@dataclass(frozen=True)
class ClaimedBatch:
    """What was claimed for one endpoint. A doubtful one failed lately, one that is down does nothing else."""

    endpoint_id: UUID
    is_doubtful: bool
    is_down: bool
    deliveries: Sequence[ClaimedDelivery]


@dataclass(frozen=True)
class Capacity:
    """Threads that are free, those of them that may wait for doubtful endpoints, and how many deliveries each endpoint has already:
    such as are under way too."""

    free: int
    free_for_doubtful: int
    held: Mapping[UUID, int]


def seconds_to_start() -> float:
    """How long after it was claimed a try may begin: it must end before the lease does."""
    timeout: float = settings.WEBHOOK_TIMEOUT_SECONDS
    return LEASE.total_seconds() - timeout - MARGIN_SECONDS


def claim_due(*, capacity: Capacity, now: datetime) -> list[ClaimedBatch]:
    """Hold what is due, for endpoints that have a thread or can get one. Those that work come first."""
    shares = _shares(endpoints_with_due_deliveries(now=now), capacity, now=now)
    if not shares:
        return []
    start_by, lease = time.monotonic() + seconds_to_start(), new_id()
    with transaction.atomic():
        found = [(endpoint, _leased(endpoint, number, lease=lease, now=now)) for endpoint, number in shares]
    events = _events_of([row for _, rows in found for row in rows])
    return [_hold(endpoint, rows, events, lease=lease, start_by=start_by, now=now) for endpoint, rows in found if rows]


def _leased(endpoint: Endpoint, number: int, *, lease: UUID, now: datetime) -> Sequence[Delivery]:
    rows = due_deliveries_for_update(endpoint, now=now, limit=number)
    for row in rows:
        row.due_at, row.lease = now + LEASE, lease
    if rows:
        update(connection, rows, ["due_at", "lease"])
    return rows


def _shares(endpoints: Sequence[Endpoint], room: Capacity, *, now: datetime) -> list[tuple[Endpoint, int]]:
    """How many deliveries are to be claimed for each endpoint: so many that its threads need not stop, once half are sent."""
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
    """By id. One that was erased with its participant is missing, and there is nothing to deliver any more."""
    if not rows:
        return {}
    ids, size = values_for_among([row.event_id for row in rows], connection)
    events = {event.pk: event for event in _EVENTS.execute(connection, {"ids": ids}, size=size)()}
    if gone := [row.pk for row in rows if row.event_id not in events]:
        Delivery.objects.filter(pk__in=gone).delete()
    return events


def _declare_events(*, size: int) -> "QuerySet[DomainEvent]":
    rows = DomainEvent.objects.filter(Among("id", "ids", DomainEvent._meta.pk, size=size))
    return rows.only("id", "tenant_id", "type", "occurred_at", "data")


_EVENTS = Query(_declare_events)


def _hold(
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
    version = event_types[event.type].version if event.type in event_types else 1
    return Post(endpoint.url, str(event.pk), version, message_bytes(message_of(event)), secrets)
