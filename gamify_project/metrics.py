"""Metrics for Prometheus. They contain no names. All are read from the database, so every process returns the same values."""

from collections.abc import Iterator
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gamify_project.addresses import is_observer
from gamify_project.periodic.status import GRACE, periodic_tasks
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


class PeriodicTasks(Collector):
    """What the runs of periodic tasks left behind. Tasks that have never run have the time 0."""

    def collect(self) -> Iterator[Metric]:
        late = f"1 if the next run should have started {GRACE} (hours:minutes:seconds) ago."
        gauges = {
            "last_start_timestamp_seconds": _labelled("last_start_timestamp_seconds", "Start of the newest run."),
            "last_success_timestamp_seconds": _labelled(
                "last_success_timestamp_seconds", "End of the newest run without an error."
            ),
            "last_duration_seconds": _labelled("last_duration_seconds", "How long the newest run took that has ended."),
            "last_rows": _labelled("last_rows", "Rows that this run worked on, if the task counts them."),
            "last_unfinished": _labelled("last_unfinished", "Pieces of work that this run left for the next one."),
            "late": _labelled("late", late),
        }
        failures = CounterMetricFamily("gamify_periodic_task_failures", "Runs that an error ended.", labels=["task"])
        for task in periodic_tasks(now=timezone.now()):
            run = task.run
            values = {
                "last_start_timestamp_seconds": _seconds(run.started_at if run else None),
                "last_success_timestamp_seconds": _seconds(run.succeeded_at if run else None),
                "last_duration_seconds": run.seconds if run else None,
                "last_rows": run.rows if run else None,
                "last_unfinished": run.unfinished if run else None,
                "late": task.is_late,
            }
            for name, value in values.items():
                if value is not None:
                    gauges[name].add_metric([task.name], value)
            failures.add_metric([task.name], run.failures if run else 0)
        yield from (*gauges.values(), failures)


def _labelled(name: str, meaning: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"gamify_periodic_task_{name}", meaning, labels=["task"])


def _seconds(at: datetime | None) -> float:
    return at.timestamp() if at else 0


registry.register(Audits())
registry.register(PeriodicTasks())
