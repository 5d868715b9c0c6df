"""Metrics for Prometheus. They contain no names. All are read from the database, so every process returns the same values."""

from collections.abc import Iterator

from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gamify_project.addresses import is_observer
from participants.selectors import audits_summary

registry = CollectorRegistry()


def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics to observers. For all others there is no such page."""
    if not is_observer(request):
        raise Http404
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Audits(Collector):
    """Results of the latest audits. A worker runs the audits; every web process can report them."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = audits_summary()
        yield _gauge("drifts", "Contradicting rows found by the newest audit of each tenant.", found.drifts)
        yield _gauge("rows", "Rows that those audits checked.", found.rows)
        yield _gauge("tenants_with_drifts", "Tenants with contradicting rows.", found.tenants_with_drifts)
        if found.stalest_at is not None:
            stalest_at = found.stalest_at.timestamp()
            yield _gauge("stalest_timestamp_seconds", "Start of the oldest of those audits.", stalest_at)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"gamify_audit_{name}", meaning, value=value)


registry.register(Audits())
