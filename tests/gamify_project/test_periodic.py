"""Periodic tasks: their runs are recorded, and the console and the metrics tell what is late or fails."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from gamify_project.celery import app
from gamify_project.celery_config import SENT_BY_BEAT
from gamify_project.models import PeriodicRun
from gamify_project.periodic.status import GRACE, PeriodicTask, State, late_tasks, periodic_tasks
from participants.work import Swept
from tests.console import Console, staff, text_of, trail

EXPIRE = "points.expire"
NIGHTLY = "facts.prune_traces"
NOW = datetime(2026, 2, 14, 12, tzinfo=UTC)
APPLIED = {
    name: MigrationRecorder.Migration(applied=applied)
    for name, applied in {"first": NOW - timedelta(days=9), "newest": NOW, "second": NOW - timedelta(days=8)}.items()
}

pytestmark = pytest.mark.django_db


def run(name: str, **options: Any) -> Any:
    app.loader.import_default_modules()
    return app.tasks[name].apply(**options)


def run_as_beat_does(name: str) -> Any:
    return run(name, **SENT_BY_BEAT)


def task_named(name: str, *, now: datetime = NOW) -> PeriodicTask:
    [found] = [task for task in periodic_tasks(now=now) if task.name == name]
    return found


def ran(name: str, *, at: datetime, **values: Any) -> None:
    PeriodicRun.objects.create(
        task=name, **{"started_at": at, "finished_at": at, "succeeded_at": at, "seconds": 0.5, **values}
    )


@pytest.mark.parametrize("name", sorted(app.conf.beat_schedule))
def test_every_run_that_beat_starts_is_recorded(name: str) -> None:
    result = run_as_beat_does(name)

    assert result.successful(), result.traceback
    found = PeriodicRun.objects.get()
    assert (found.task, found.error, found.failed, found.unfinished) == (name, "", 0, 0)
    assert found.started_at <= found.finished_at == pytest.approx(found.succeeded_at, abs=timedelta(seconds=1))
    assert found.seconds >= 0


def test_a_run_that_a_wake_up_starts_is_not_recorded() -> None:
    assert run(EXPIRE).successful()

    assert not PeriodicRun.objects.exists()


def test_beat_sends_the_mark_with_every_message() -> None:
    assert {name for name, entry in app.conf.beat_schedule.items() if entry["options"].get("headers")} == {
        *app.conf.beat_schedule
    }


def test_what_a_task_did_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gamify.points.tasks.round_robin", lambda *_, **__: Swept(12, failed=1, unfinished=2))

    run_as_beat_does(EXPIRE)

    found = PeriodicRun.objects.get()
    assert (found.rows, found.failed, found.unfinished) == (12, 1, 2)
    assert task_named(EXPIRE, now=timezone.now()).state is State.FAILED


def test_an_error_is_recorded_and_the_time_of_the_last_success_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    ran(EXPIRE, at=NOW, rows=3)

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("about user_123")

    monkeypatch.setattr("gamify.points.tasks.round_robin", fail)

    assert isinstance(run_as_beat_does(EXPIRE).result, ZeroDivisionError)
    run_as_beat_does(EXPIRE)

    found = PeriodicRun.objects.get()
    assert (found.error, found.rows, found.failures) == ("ZeroDivisionError", None, 2)
    assert found.succeeded_at == NOW
    assert found.finished_at > NOW


def test_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda self: {})
    assert task_named(EXPIRE, now=timezone.now()).state is State.WAITING
    ran(EXPIRE, at=NOW - GRACE)
    assert task_named(EXPIRE).state is State.OK

    PeriodicRun.objects.update(started_at=NOW - timedelta(seconds=5))
    assert task_named(EXPIRE).state is State.RUNNING

    PeriodicRun.objects.update(started_at=NOW - GRACE - timedelta(hours=1))
    assert task_named(EXPIRE).state is State.LATE


def test_a_task_that_never_ran_is_late_when_its_first_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda self: APPLIED)
    planned = datetime(2026, 2, 15, 3, 27, tzinfo=UTC)

    assert task_named(NIGHTLY, now=NOW).due_at == planned
    assert task_named(NIGHTLY, now=planned + GRACE).state is State.WAITING
    assert task_named(NIGHTLY, now=planned + 2 * GRACE).state is State.LATE


def test_a_nightly_task_is_late_only_after_its_hour_of_the_next_night() -> None:
    ran(NIGHTLY, at=datetime(2026, 2, 14, 3, 27, tzinfo=UTC))
    planned = datetime(2026, 2, 15, 3, 27, tzinfo=UTC)

    for now, state in (
        (NOW, State.OK),
        (planned + GRACE, State.OK),
        (planned + GRACE + timedelta(seconds=1), State.LATE),
    ):
        with time_machine.travel(now, tick=False):
            found = task_named(NIGHTLY, now=now)
            assert (found.due_at, found.state) == (planned, state)


def test_the_page_tells_what_each_task_does_and_how_it_ended() -> None:
    ran(EXPIRE, at=timezone.now() - timedelta(days=1), rows=1234, error="OperationalError", unfinished=3)

    text = text_of(Console().get("periodic_tasks"))

    for shown in (
        "Expire unspent points of all tenants",
        "1,234",
        "OperationalError",
        "3 left for the next run",
        "late",
    ):
        assert shown in text
    assert text.count("never") == len(app.conf.beat_schedule) - 1


def test_staff_start_a_task_as_beat_does(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        "participants.messages.current_app.send_task", lambda *args, **options: sent.append(options) or 1
    )

    console = Console()
    assert console.post("periodic_tasks", task=EXPIRE).status_code == 302
    response = console.get("periodic_tasks")

    assert "was asked to run points.expire" in text_of(response)
    assert trail() == [(EXPIRE, 2, "Started.")]
    assert sent[0]["headers"].items() >= SENT_BY_BEAT["headers"].items()
    assert sent[0]["queue"] == "sweeps"


def test_staff_are_told_when_the_workers_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr("participants.messages.current_app.send_task", refuse)

    console = Console()
    assert console.post("periodic_tasks", task=EXPIRE).status_code == 302
    response = console.get("periodic_tasks")

    assert "nothing was started" in text_of(response)
    assert trail() == []


def test_only_a_task_of_the_schedule_can_be_started() -> None:
    console = Console()

    assert console.post("periodic_tasks", task="celery.backend_cleanup").status_code == 404
    assert console.post("periodic_tasks").status_code == 404


def test_each_page_needs_its_permission() -> None:
    clerk = staff()
    assert Console(user=clerk).get("periodic_tasks").status_code == 403

    clerk.user_permissions.add(Permission.objects.get(codename="view_periodicrun"))

    console = Console(user=clerk)
    assert "Run now" not in text_of(console.get("periodic_tasks"))
    assert console.post("periodic_tasks", task=EXPIRE).status_code == 403


def test_metrics_name_each_task() -> None:
    ran(EXPIRE, at=NOW, rows=7, failures=2)

    lines = Client().get("/metrics").content.decode().splitlines()

    assert f'gamify_periodic_task_last_rows{{task="{EXPIRE}"}} 7.0' in lines
    assert f'gamify_periodic_task_failures_total{{task="{EXPIRE}"}} 2.0' in lines
    assert f'gamify_periodic_task_last_success_timestamp_seconds{{task="{NIGHTLY}"}} 0.0' in lines
    assert f'gamify_periodic_task_late{{task="{EXPIRE}"}} 1.0' in lines


def test_what_is_late() -> None:
    for name in app.conf.beat_schedule:
        ran(name, at=NOW)
    PeriodicRun.objects.filter(task=EXPIRE).update(started_at=NOW - timedelta(hours=1))

    assert [task.name for task in late_tasks(now=NOW)] == [EXPIRE]
