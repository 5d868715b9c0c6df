"""What the schedule of beat and the recorded runs say together."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from celery import current_app
from celery.schedules import BaseSchedule, schedule
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from gamify_project.models import PeriodicRun

GRACE = timedelta(minutes=5)
"""How much later than planned a run may start: workers may be busy with an earlier one, or restart during an upgrade."""


class State(Enum):
    """How a periodic task is doing: what people read, and the color of its tag."""

    OK = ("ok", "success")
    RUNNING = ("running", "info")
    FAILED = ("failed", "danger")
    LATE = ("late", "danger")
    WAITING = ("has not run yet", "info")

    @property
    def text(self) -> str:
        return self.value[0]

    @property
    def color(self) -> str:
        return self.value[1]


@dataclass(frozen=True)
class PeriodicTask:
    """One periodic task. `due_at` is the planned start of its next run."""

    name: str
    about: str
    run: PeriodicRun | None
    due_at: datetime
    state: State

    @property
    def is_late(self) -> bool:
        return self.state is State.LATE


def periodic_tasks(*, now: datetime) -> Sequence[PeriodicTask]:
    """Return everything that beat starts, by name, from a few queries."""
    runs, since = PeriodicRun.objects.in_bulk(), _newest_migration() or now
    current_app.loader.import_default_modules()
    return [
        _task(name, _schedule(entry["schedule"], now), runs.get(name), since=since, now=now)
        for name, entry in sorted(current_app.conf.beat_schedule.items())
    ]


def late_tasks(*, now: datetime) -> Sequence[PeriodicTask]:
    """Return the tasks whose next run should have started GRACE ago."""
    return [task for task in periodic_tasks(now=now) if task.is_late]


def _newest_migration() -> datetime | None:
    """Return when the database was installed or upgraded. A task that has not run since then has waited for its first run since then."""
    applied = MigrationRecorder(connection).applied_migrations().values()
    return max((migration.applied for migration in applied), default=None)


def _schedule(when: BaseSchedule | float, now: datetime) -> BaseSchedule:
    """Return the schedule of an entry of beat, with `now` as its clock."""
    found = copy(when) if isinstance(when, BaseSchedule) else schedule(when)
    found.app, found.nowfun = current_app, lambda: now
    return found


def _task(name: str, when: BaseSchedule, run: PeriodicRun | None, *, since: datetime, now: datetime) -> PeriodicTask:
    due_at = now + when.remaining_estimate(run.started_at if run else since)
    about = (current_app.tasks[name].__doc__ or "").strip().partition("\n")[0]
    return PeriodicTask(name, about, run, due_at, _state(run, due_at, now=now))


def _state(run: PeriodicRun | None, due_at: datetime, *, now: datetime) -> State:
    if due_at < now - GRACE:
        return State.LATE
    if run is None:
        return State.WAITING
    if run.finished_at is None or run.finished_at < run.started_at:
        return State.RUNNING
    return State.FAILED if run.error or run.failed else State.OK
