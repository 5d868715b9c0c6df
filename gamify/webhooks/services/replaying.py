"""Replays: delivers one delivery or the events of a period again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from gamify.webhooks.models import Delivery, DeliveryStatus, Endpoint
from gamify.webhooks.services.sequencing import delivery_of, is_due_to
from gamify.webhooks.services.waking import wake_after_commit
from participants.database import insert
from participants.errors import DomainError, InvalidInput, NotFound
from participants.ids import first_id_at
from participants.models import DomainEvent

MAX_REPLAYED = 100_000
CHUNK = 1_000
MISSED = "missed"
REPLAYABLE = (DeliveryStatus.FAILED.value, DeliveryStatus.SUCCEEDED.value)


class DeliveryNotFound(NotFound):
    code = "delivery_not_found"
    noun = "Delivery"


class EventGone(DomainError):
    """The event was erased with its participant, or removed because it is too old."""

    code = "event_gone"

    def __init__(self) -> None:
        super().__init__("The event of this delivery does not exist any more")


@dataclass(frozen=True)
class Span:
    """A half-open period: `begin` is included, `end` is not."""

    begin: datetime
    end: datetime

    def of_ids(self, column: str) -> Q:
        """The ids of events in this period: ids are ordered by the time at which they were made."""
        return Q(**{f"{column}__gte": first_id_at(self.begin), f"{column}__lt": first_id_at(self.end)})


@transaction.atomic
def replay(delivery: Delivery, *, now: datetime) -> Delivery:
    """Make a delivery pending again, with all ten tries. Raises: EventGone."""
    if not DomainEvent.objects.filter(pk=delivery.event_id).exists():
        raise EventGone
    Delivery.objects.filter(pk=delivery.pk).update(**_pending_again(now))
    wake_after_commit()
    delivery.refresh_from_db()
    return delivery


def _pending_again(now: datetime) -> dict[str, object]:
    return {"status": DeliveryStatus.PENDING, "tries": 0, "due_at": now, "lease": None, "finished_at": None}


@transaction.atomic
def replay_span(endpoint: Endpoint, span: Span, *, status: str | None, now: datetime) -> int:
    """Deliver the events of `span` again. Returns the number of deliveries.

    `status` selects events by their delivery; None selects all of these:

    - `failed`: all tries failed, or the latest did and another one is due.
    - `succeeded`: the endpoint accepted it.
    - `missed`: the endpoint subscribes to it and has no delivery, because it was inactive or did not exist.

    Raises: InvalidInput for more than MAX_REPLAYED deliveries.
    """
    again = _tried(endpoint, span, REPLAYABLE if status is None else (status,))
    count = again.count()
    missed = list(islice(_missed(endpoint, span), MAX_REPLAYED + 1)) if status in (None, MISSED) else []
    if count + len(missed) > MAX_REPLAYED:
        raise InvalidInput("to", f"This would replay more than {MAX_REPLAYED:,} deliveries: choose a shorter period.")
    again.update(**_pending_again(now))
    for start in range(0, len(missed), CHUNK):
        insert(connection, [delivery_of(endpoint, event, now=now) for event in missed[start : start + CHUNK]])
    wake_after_commit()
    return count + len(missed)


def _tried(endpoint: Endpoint, span: Span, statuses: Sequence[str]) -> "QuerySet[Delivery]":
    """The deliveries to replay, without those whose event is gone and those that a worker is sending now."""
    wanted = Q(status__in=statuses)
    if DeliveryStatus.FAILED in statuses:
        wanted |= Q(status=DeliveryStatus.PENDING, tries__gt=0, lease=None)
    rows = Delivery.objects.of(endpoint).filter(span.of_ids("event_id"), wanted)
    return rows.filter(Exists(DomainEvent.objects.filter(pk=OuterRef("event_id"))))


def _missed(endpoint: Endpoint, span: Span) -> Iterator[DomainEvent]:
    """Events of the span without a delivery. Events without a position are left out: they will get a delivery anyway."""
    delivered = Delivery.objects.of(endpoint).filter(event_id=OuterRef("pk"))
    events = DomainEvent.objects.filter(span.of_ids("pk"), ~Exists(delivered), tenant_id=endpoint.tenant_id)
    rows = events.exclude(position=None).only("id", "tenant_id", "type").order_by("pk")
    return (row for row in rows.iterator() if is_due_to(endpoint, row))
