"""What Prometheus asks: numbers without names, which are the same whichever process answers, since all are read from the database."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from participants.selectors import audits_summary

registry = CollectorRegistry()


def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Audits(Collector):
    """The worker audits, and every web process tells of it."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = audits_summary()
        yield _gauge("drifts", "Rows that do not agree, by the newest audit of each tenant.", found.drifts)
        yield _gauge("rows", "Rows that those audits looked at.", found.rows)
        yield _gauge("tenants_with_drifts", "Tenants in which any was found.", found.tenants_with_drifts)
        if found.stalest_at is not None:
            stalest_at = found.stalest_at.timestamp()
            yield _gauge("stalest_timestamp_seconds", "When the audit that is longest ago was begun.", stalest_at)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"gamify_audit_{name}", meaning, value=value)


registry.register(Audits())
