"""Records the runs of periodic tasks. A run that a wake-up starts is not recorded: there are many of them, and they do one piece of work."""

import time
from collections.abc import Callable
from typing import Any

from celery import Task
from django.db.models import F
from django.utils import timezone

from gamify_project.celery_config import SCHEDULED
from gamify_project.models import PeriodicRun
from participants.work import Swept


def is_scheduled(task: Task) -> bool:
    """Whether beat, or staff in its place, started this run of the task."""
    return bool((task.request.headers or {}).get(SCHEDULED))


def run_and_record(name: str, run: Callable[[], Any]) -> Any:
    """Return what `run` returns, or raise what it raises, and record the run of the task `name`: its start, and how it ended."""
    PeriodicRun.objects.bulk_create(
        [PeriodicRun(task=name, started_at=timezone.now())],
        update_conflicts=True,
        unique_fields=["task"],
        update_fields=["started_at"],
    )
    started = time.monotonic()
    try:
        result = run()
    except Exception as error:
        _record_end(name, started, rows=None, error=type(error).__name__, failures=F("failures") + 1)
        raise
    swept = result if isinstance(result, Swept) else None
    _record_end(
        name,
        started,
        rows=swept and swept.rows,
        failed=swept.failed if swept else 0,
        unfinished=swept.unfinished if swept else 0,
        error="",
        succeeded_at=timezone.now(),
    )
    return result


def _record_end(name: str, started: float, **values: Any) -> None:
    ended = {"finished_at": timezone.now(), "seconds": time.monotonic() - started}
    PeriodicRun.objects.filter(task=name).update(**ended, **values)
