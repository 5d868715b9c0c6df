import gc
import socket
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.signals import worker_init
from django.utils import timezone
from kombu.exceptions import OperationalError

from gamify.challenges import tasks as challenge_tasks
from gamify.webhooks import tasks as webhook_tasks
from gamify.webhooks.services import waking
from gamify_project import celery_app, celery_config
from gamify_project.celery_config import DELIVER, MAX_TASK_SECONDS, SWEEPS, SWEEPS_QUEUE, WEBHOOKS_QUEUE
from gamify_project.models import ConsoleSession
from gamify_project.tasks import clear_expired_sessions
from streaks import tasks as streak_tasks


def celery_settings(*, redis_url: str = "", var_dir: Path = Path("unused"), sweep_seconds: int = 60) -> dict[str, Any]:
    return celery_config.celery_settings(
        redis_url=redis_url, redis_timeout=0.2, var_dir=var_dir, sweep_seconds=sweep_seconds
    )


def app_with(**options: object) -> Celery:
    app = Celery("test", set_as_current=False)
    app.conf.update(celery_settings() | options)
    return app


def test_without_redis_the_broker_is_a_folder_under_var(tmp_path: Path) -> None:
    settings = celery_settings(var_dir=tmp_path)

    assert settings["broker_url"] == "files://localhost"
    assert settings["broker_transport_options"] == {"folder": str(tmp_path / "broker")}


def test_redis_does_not_redeliver_a_task_that_may_still_run() -> None:
    options = celery_settings(redis_url="redis://127.0.0.1/0")["broker_transport_options"]

    assert options["visibility_timeout"] > MAX_TASK_SECONDS


def test_a_redis_that_does_not_answer_delays_a_sender_for_a_moment_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        app = Celery("test", set_as_current=False)
        app.conf.update(celery_settings(redis_url=url))
        started = time.monotonic()

        with pytest.raises(OperationalError):
            app.send_task("any", queue="default")

        assert time.monotonic() - started < 2.5


def test_a_message_reaches_its_own_queue_only(tmp_path: Path) -> None:
    app = app_with(broker_transport_options={"folder": str(tmp_path)})

    app.send_task("a wake-up")
    app.send_task("a sweep", queue=SWEEPS_QUEUE)

    assert [path.name for path in (tmp_path / "queues").glob("default/*.msg")] != []
    assert {folder.name: len(list(folder.glob("*.msg"))) for folder in (tmp_path / "queues").iterdir()} == {
        "default": 1,
        SWEEPS_QUEUE: 1,
    }


def test_everything_beat_starts_is_a_task_that_exists_and_goes_to_the_sweeps_but_for_deliveries() -> None:
    celery_app.loader.import_default_modules()

    for entry in celery_app.conf.beat_schedule.values():
        assert entry["task"] in celery_app.tasks
        assert entry["options"]["queue"] == (WEBHOOKS_QUEUE if entry["task"] == DELIVER else SWEEPS_QUEUE)


def test_a_wake_up_uses_the_queue_to_which_beat_sends_deliveries() -> None:
    assert (waking.TASK, waking.QUEUE) == (DELIVER, WEBHOOKS_QUEUE)


@pytest.mark.parametrize("task", SWEEPS)
def test_a_sweep_that_no_worker_took_expires_before_the_next(task: str) -> None:
    entry = celery_settings(sweep_seconds=10)["beat_schedule"][task]

    assert (entry["schedule"], entry["options"]["expires"]) == (10, 10)


@pytest.mark.parametrize("tasks", [challenge_tasks, streak_tasks, webhook_tasks])
def test_sweeps_end_long_before_their_worker_would_be_killed(tasks: Any) -> None:
    assert tasks.BUDGET_SECONDS <= MAX_TASK_SECONDS / 2


@pytest.mark.django_db
def test_expired_console_sessions_are_cleared_and_others_kept() -> None:
    now = timezone.now()
    for name, expires_in in {"old": timedelta(seconds=-1), "new": timedelta(hours=1)}.items():
        ConsoleSession.objects.create(session_key=name, session_data="", started_at=now, expire_date=now + expires_in)

    clear_expired_sessions()

    assert list(ConsoleSession.objects.values_list("session_key", flat=True)) == ["new"]


def test_a_worker_excludes_loaded_code_from_garbage_collection() -> None:
    gc.unfreeze()

    try:
        worker_init.send(sender=None)

        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
