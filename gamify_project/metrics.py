"""`/metrics` for Prometheus: what processes have counted, and what the database and the broker say. Names of people are not in it."""

import os
from collections.abc import Iterator
from datetime import datetime

from celery import current_app
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from gamify_project.addresses import is_observer
from gamify_project.celery_config import QUEUES
from gamify_project.counting import VARIABLE
from gamify_project.periodic.status import GRACE, periodic_tasks
from participants.breakers import redis_breaker
from participants.measuring import counted, stored
from participants.selectors import audits_summary


def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics to observers. For all others there is no such page."""
    if not is_observer(request):
        raise Http404
    return HttpResponse(generate_latest(all_counted()) + generate_latest(stored), content_type=CONTENT_TYPE_LATEST)


def all_counted() -> CollectorRegistry:
    """Return what all processes of this program have counted, or this process alone if they share no folder."""
    if not os.environ.get(VARIABLE):
        return counted
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together


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


class BrokerQueues(Collector):
    """How many messages wait in each queue of the broker. While the broker does not answer there are no numbers."""

    def collect(self) -> Iterator[Metric]:
        depths = redis_breaker.call(_depths, purpose="metrics") or {}
        family = GaugeMetricFamily("gamify_queue_messages", "Messages that wait for a worker.", labels=["queue"])
        for queue, depth in depths.items():
            family.add_metric([queue], depth)
        yield family


def _depths() -> dict[str, int]:
    with current_app.connection_for_read() as broker:
        return {queue: broker.default_channel._size(queue) for queue in QUEUES}  # noqa: SLF001 - kombu has no public name


class DatabaseConnections(Collector):
    """Connections with this database, of all processes of the installation and others. SQLite has none."""

    def collect(self) -> Iterator[Metric]:
        open_ones = GaugeMetricFamily(
            "gamify_database_connections", "Connections with the database, by state.", labels=["state"]
        )
        maximum = GaugeMetricFamily("gamify_database_max_connections", "How many connections the server admits.")
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(_CONNECTIONS)
                for state, number in cursor.fetchall():
                    open_ones.add_metric([state], number)
                cursor.execute("SELECT current_setting('max_connections')::int")
                maximum.add_metric([], cursor.fetchone()[0])
        yield from (open_ones, maximum)


_CONNECTIONS = """
    SELECT coalesce(state, 'unknown'), count(*) FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1
"""

for collector in (Audits(), PeriodicTasks(), BrokerQueues(), DatabaseConnections()):
    stored.register(collector)
