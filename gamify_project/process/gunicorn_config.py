"""The web server: `gunicorn --config python:gamify_project.process.gunicorn_config gamify_project.wsgi`.

gunicorn starts, replaces and stops the workers; the package `web` serves requests in them (docs/decisions/0007-gunicorn.md). It imports
everything before it listens, so a node accepts no connection before it can answer. Under `manage.py serve` gunicorn accepts
connections on an inherited socket. It imports while the database is migrated, then its workers wait at a gate: a pipe, which is
closed when requests may be served.
"""

import gc
import os
import select
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import get_resolver

from gamify_project import celery_app
from gamify_project.counting import share_counts
from gamify_project.process.web.balance import Slots
from gamify_project.telemetry import start_tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gamify_project.settings")
share_counts()

IS_SQLITE = settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"


def _cores() -> int:
    """Return the number of cores that this process may use. In a container it may be less than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _bind() -> str:
    if listener := os.environ.get("GAMIFY_LISTENER_FD"):
        return f"fd://{listener}"
    return f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or 8000}"


def _memory_folder() -> str | None:
    """Return the folder for heartbeats: in memory if possible, so that a busy disk does not look like a hung worker."""
    memory = Path("/dev/shm")  # noqa: S108 - gunicorn creates a file there and unlinks it immediately
    return str(memory) if os.access(memory, os.W_OK) else None


bind = _bind()
worker_class = "gamify_project.process.web.worker.Worker"
# SQLite: one process, so that all threads share caches and rate limits. PostgreSQL: one process per core.
workers = 1 if IS_SQLITE else int(os.environ.get("WEB_WORKERS") or _cores())
threads = settings.WEB_THREADS
keepalive = 5
# A connection may bring a request until `keepalive` seconds after its last one, also while the process stops; the request then
# takes its time. `serve` kills its programs 10 seconds after it has asked them to stop.
graceful_timeout = 8 if os.environ.get("GAMIFY_LISTENER_FD") else 15
preload_app = True
worker_tmp_dir = _memory_folder()
control_socket_disable = True
logger_class = "gamify_project.process.gunicorn_log.ProductLogger"

_slots = Slots()


def on_starting(server: Any) -> None:
    """Import everything that the first request needs, and exclude it from garbage collection in all workers.

    The tasks are for `/metrics`, which names them: two requests that import them at the same time would find some of them only.
    """
    assert get_resolver().url_patterns  # noqa: S101 - reading it imports every view
    celery_app.loader.import_default_modules()
    gc.collect()
    gc.freeze()


def pre_fork(server: Any, worker: Any) -> None:
    """Give the new worker its place in the memory that the workers share."""
    worker.slot = _slots.take()


def child_exit(server: Any, worker: Any) -> None:
    """Free the place of a worker that has ended, also if it was killed. What it counted stays."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - after `share_counts`

    _slots.release(worker.slot)
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def post_worker_init(worker: Any) -> None:
    """Start to trace requests. Then wait at the gate, with heartbeats."""
    start_tracing()
    gate = int(os.environ.get("GAMIFY_GATE_FD") or -1)
    while gate >= 0 and worker.alive and not select.select([gate], [], [], 1.0)[0]:
        worker.notify()
