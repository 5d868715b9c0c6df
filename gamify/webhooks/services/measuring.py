"""Numbers about deliveries and the feed for `/metrics`, read from partial indexes that contain only what waits."""

from collections.abc import Iterator

from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gamify.webhooks.models import Delivery, Endpoint
from gamify.webhooks.selectors.feed import events_without_position
from participants.database import all_tenants


class Waiting(Collector):
    """What waits to be delivered, and what waits for its place in the feed. Ages are in seconds; 0: nothing waits."""

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        with all_tenants():
            deliveries = Delivery.objects.exclude(due_at=None).aggregate(
                pending=Count("pk"),
                due=Count("pk", filter=Q(due_at__lte=now)),
                oldest=Min("due_at", filter=Q(due_at__lte=now)),
            )
            events = events_without_position().order_by().aggregate(number=Count("pk"), oldest=Min("written_at"))
            endpoints = Endpoint.objects.aggregate(
                active=Count("pk", filter=Q(is_active=True, failing_since=None)),
                failing=Count("pk", filter=Q(is_active=True) & ~Q(failing_since=None)),
                disabled=Count("pk", filter=~Q(disabled_at=None)),
            )
        ages = {
            name: max(0.0, (now - since).total_seconds()) if since else 0.0
            for name, since in (("deliveries", deliveries["oldest"]), ("feed", events["oldest"]))
        }
        yield _gauge("gamify_deliveries_pending", "Deliveries that are not finished.", deliveries["pending"])
        yield _gauge("gamify_deliveries_due", "Deliveries that could be tried now.", deliveries["due"])
        yield _gauge("gamify_deliveries_oldest_due_seconds", "How long the oldest of them waits.", ages["deliveries"])
        yield _gauge("gamify_feed_waiting_events", "Events without a place in the feed.", events["number"])
        yield _gauge("gamify_feed_lag_seconds", "Age of the oldest of them.", ages["feed"])
        family = GaugeMetricFamily("gamify_webhooks", "Webhooks of all tenants, by state.", labels=["state"])
        for state, number in endpoints.items():
            family.add_metric([state], number)
        yield family


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=value)
