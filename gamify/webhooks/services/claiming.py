"""Takes what is due, for this worker alone: the time at which it would be due again is put ahead by more than a try can take."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from gamify.webhooks.engine.messages import encoded, message_of
from gamify.webhooks.models import Delivery, Endpoint
from gamify.webhooks.selectors.endpoints import due_of, endpoints_with_due
from gamify.webhooks.services.secrets import secrets_of
from gamify.webhooks.services.sending import Post
from participants.events import event_types
from participants.ids import new_id
from participants.models import DomainEvent

LEASE = timedelta(seconds=45)
MARGIN_SECONDS = 5.0
LANES = 4
"""Tries that one endpoint is sent at the same time, by one worker."""
LANE_LENGTH = 64
"""Deliveries that a lane is given at once; of an endpoint that is failing, one."""


@dataclass(frozen=True)
class Claim:
    """A delivery that this worker holds under `lease`. `is_probe` where the endpoint failed last time."""

    delivery_id: UUID
    tenant_id: UUID
    endpoint_id: UUID
    lease: UUID
    post: Post
    is_probe: bool


Lane = Sequence[Claim]
"""Deliveries to one endpoint that are sent one after the other."""


@dataclass(frozen=True)
class Capacity:
    """Lanes that are free: for all endpoints together, of these for such that are failing, and taken already by each."""

    free: int
    free_for_failing: int
    taken: Mapping[UUID, int]


def seconds_to_start() -> float:
    """How long after it was claimed a try may begin: it must end before the lease does."""
    timeout: float = settings.WEBHOOK_TIMEOUT_SECONDS
    return LEASE.total_seconds() - timeout - MARGIN_SECONDS


def claim(*, capacity: Capacity, now: datetime) -> list[Lane]:
    """Hold what is due, as much as there are lanes for. Endpoints that work come first."""
    shares = _shares(endpoints_with_due(now=now), capacity)
    if not shares:
        return []
    with transaction.atomic():
        found = [(endpoint, lanes, _due(endpoint, lanes, now=now)) for endpoint, lanes in shares]
        ids = [pk for _, _, pks in found for pk in pks]
        lease = new_id()
        Delivery.objects.filter(pk__in=ids).update(due_at=now + LEASE, lease=lease)
    return [lane for endpoint, lanes, pks in found for lane in _lanes(endpoint, lanes, pks, lease=lease, now=now)]


def _shares(endpoints: Iterable[Endpoint], capacity: Capacity) -> list[tuple[Endpoint, int]]:
    """How many lanes each endpoint gets: in turns, so that nobody's backlog is anybody else's."""
    shares: Counter[UUID] = Counter(capacity.taken)
    free = {True: capacity.free_for_failing, False: capacity.free}
    waiting = sorted(endpoints, key=_is_failing)
    for lane in range(LANES):
        for endpoint in waiting:
            is_failing = _is_failing(endpoint)
            if shares[endpoint.pk] > lane or lane >= _most_lanes(endpoint) or min(free[is_failing], free[False]) <= 0:
                continue
            shares[endpoint.pk] += 1
            free[is_failing] -= 1
            free[False] -= is_failing
    shares.subtract(capacity.taken)
    return [(endpoint, shares[endpoint.pk]) for endpoint in waiting if shares[endpoint.pk]]


def _most_lanes(endpoint: Endpoint) -> int:
    return 1 if _is_failing(endpoint) else LANES


def _is_failing(endpoint: Endpoint) -> bool:
    return endpoint.failing_since is not None


def _due(endpoint: Endpoint, lanes: int, *, now: datetime) -> Sequence[UUID]:
    return due_of(endpoint, now=now, limit=lanes * (1 if _is_failing(endpoint) else LANE_LENGTH))


def _lanes(endpoint: Endpoint, lanes: int, ids: Sequence[UUID], *, lease: UUID, now: datetime) -> Iterable[Lane]:
    if not ids:
        return []
    rows = list(Delivery.objects.filter(pk__in=ids).order_by("event_id"))
    events = DomainEvent.objects.in_bulk([row.event_id for row in rows])
    _drop([row for row in rows if row.event_id not in events])
    secrets = secrets_of(endpoint, now=now)
    claims = [
        Claim(
            delivery_id=row.pk,
            tenant_id=row.tenant_id,
            endpoint_id=endpoint.pk,
            lease=lease,
            post=_post(endpoint, events[row.event_id], secrets),
            is_probe=_is_failing(endpoint),
        )
        for row in rows
        if row.event_id in events
    ]
    return [lane for lane in (claims[start::lanes] for start in range(lanes)) if lane]


def _drop(rows: Sequence[Delivery]) -> None:
    """The event was erased with its participant: there is nothing to deliver any more."""
    if rows:
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _post(endpoint: Endpoint, event: DomainEvent, secrets: Sequence[str]) -> Post:
    message = message_of(
        event_id=event.pk,
        type_name=event.type,
        occurred_at=event.occurred_at,
        tenant_id=event.tenant_id,
        data=event.data,
    )
    version = event_types[event.type].version if event.type in event_types else 1
    return Post(endpoint.url, str(event.pk), version, encoded(message), secrets)
