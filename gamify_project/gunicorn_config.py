"""The web server: `gunicorn --config python:gamify_project.gunicorn_config gamify_project.wsgi`.

gunicorn, because of the servers measured it is the one that hands over the path as it was sent (RAW_URI). Under
`manage.py serve` it accepts on a socket that is bound already, and its workers import everything while the database is
being migrated, then wait at a gate: a pipe, which ends when the first request may come.
"""

import os
import select
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import get_resolver

from gamify_project import server_errors

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gamify_project.settings")

EMBEDDED_THREADS = 8
IS_SQLITE = settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"


def _cores() -> int:
    """The cores this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _bind() -> str:
    if listener := os.environ.get("GAMIFY_LISTENER_FD"):
        return f"fd://{listener}"
    return f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or 8000}"


def _memory_folder() -> str | None:
    """Where heartbeats are written: memory where there is some, so that a busy disk does not look like a hung worker."""
    memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes a file there and unlinks it at once
    return str(memory) if os.access(memory, os.W_OK) else None


bind = _bind()
worker_class = "gamify_project.web_worker.Worker"
http_parser = "python"  # the worker builds on it; the one in C, if it is installed, has no place for that
forwarder_headers = ""  # none of a client's headers may say which part of the path is ours
# On SQLite one process, where threads keep caches and limits coherent; on PostgreSQL one thread on every core is fastest.
workers = 1 if IS_SQLITE else int(os.environ.get("WEB_WORKERS") or _cores())
threads = int(os.environ.get("WEB_THREADS") or (EMBEDDED_THREADS if IS_SQLITE else 1))
keepalive = 5
limit_request_line = 8190  # an id of 255 characters can be 3,060 bytes long in a path
graceful_timeout = 8
worker_tmp_dir = _memory_folder()
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Import what the first request would, then wait at the gate; the arbiter kills a worker that gives no sign."""
    server_errors.install()
    assert get_resolver().url_patterns  # noqa: S101 - reading it imports every view
    gate = int(os.environ.get("GAMIFY_GATE_FD") or -1)
    while gate >= 0 and worker.alive and not select.select([gate], [], [], 1.0)[0]:
        worker.notify()
