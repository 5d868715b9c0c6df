"""Daily figures of webhooks: deliveries that arrived, and those that were given up."""

from collections.abc import Iterator

from gamify.webhooks.models import Delivery, DeliveryStatus, Endpoint
from participants.figures import (
    DaySpan,
    Figure,
    FigureSource,
    Measurement,
    Section,
    count_rows,
    event_retention,
    figure_sources,
)

DELIVERIES = "webhooks_delivery_changelist"
DELIVERED, FAILED = "webhooks.delivered", "webhooks.failed"
FIGURE_OF = {DeliveryStatus.SUCCEEDED.value: DELIVERED, DeliveryStatus.FAILED.value: FAILED}

_FIGURES = {
    DELIVERED: Figure(
        "Webhooks delivered",
        "Deliveries for domain events of the day that an address answered with success.",
        "deliveries",
        DELIVERIES,
        "status__exact=succeeded",
        "created_at",
    ),
    FAILED: Figure(
        "Webhooks given up",
        "Deliveries for domain events of the day that failed until the last try. They can be replayed.",
        "deliveries",
        DELIVERIES,
        "status__exact=failed",
        "created_at",
    ),
}


def register() -> None:
    """Called by `AppConfig.ready`."""
    figure_sources.register("webhooks", FigureSource(Section.WEBHOOKS, _FIGURES, _measure, horizon=event_retention))


def _measure(span: DaySpan) -> Iterator[Measurement]:
    """The index of deliveries begins with the endpoint, and goes on with the id of the event, which has its time."""
    endpoints = Endpoint.objects.of(span.tenant).values("pk")
    rows = Delivery.objects.filter(
        span.happened("created_at"),
        span.written("event_id"),
        tenant_id=span.tenant.pk,
        endpoint_id__in=endpoints,
        status__in=list(FIGURE_OF),
    )
    for status, day, _, number in count_rows(span, rows, "created_at", "status"):
        yield Measurement(FIGURE_OF[status], day, number)
