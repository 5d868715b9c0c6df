"""The web server: `gunicorn --config python:gamify_project.process.gunicorn_config gamify_project.wsgi`.

We use gunicorn because it provides the raw path (RAW_URI); other servers do not (docs/decisions/0007-gunicorn.md). Under
`manage.py serve` it accepts connections on an inherited socket. Its workers import everything while the database is migrated,
then wait at a gate: a pipe, which is closed when requests may be served.
"""

import os
import select
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import get_resolver

from gamify_project.process import server_errors

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gamify_project.settings")

EMBEDDED_THREADS = 8
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
worker_class = "gamify_project.process.web_worker.Worker"
http_parser = "python"  # the worker extends it; the parser in C cannot be extended
forwarder_headers = ""  # headers of a client must not change SCRIPT_NAME
# SQLite: one process, so that all threads share caches and rate limits. PostgreSQL: one single-threaded process per core is fastest.
workers = 1 if IS_SQLITE else int(os.environ.get("WEB_WORKERS") or _cores())
threads = int(os.environ.get("WEB_THREADS") or (EMBEDDED_THREADS if IS_SQLITE else 1))
keepalive = 5
limit_request_line = 8190  # a percent-encoded id of 255 characters can take 3,060 bytes
graceful_timeout = 8
worker_tmp_dir = _memory_folder()
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Import everything that the first request needs, then wait at the gate, with heartbeats for the arbiter."""
    server_errors.install()
    assert get_resolver().url_patterns  # noqa: S101 - reading it imports every view
    gate = int(os.environ.get("GAMIFY_GATE_FD") or -1)
    while gate >= 0 and worker.alive and not select.select([gate], [], [], 1.0)[0]:
        worker.notify()
