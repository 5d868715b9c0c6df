"""The three programs of the product - web server, Celery worker, Celery beat - and how each is started."""

import os
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection

from gamify_project.celery_config import DEFAULT_QUEUE, SWEEPS_QUEUE
from gamify_project.supervisor import GRACE_SECONDS, Program

EMBEDDED_WEB_THREADS = 8
WEB_GRACE_SECONDS = int(GRACE_SECONDS) - 2
QUIET_ROOT = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}


def product(*, listener: int, port: int) -> list[Program]:
    """Everything that `serve` runs; the web server accepts on a socket that is bound already."""
    return [web(listener=listener), worker(), beat(port=port)]


def web(*, listener: int) -> Program:
    """gunicorn: of the servers measured, the one that hands over the path as it was sent (RAW_URI)."""
    command = [
        *(sys.executable, "-m", "gunicorn", "gamify_project.wsgi", "--bind", f"fd://{listener}"),
        *("--worker-class", "gthread", "--workers", str(_web_workers()), "--threads", str(_web_threads())),
        *("--keep-alive", "5", "--graceful-timeout", str(WEB_GRACE_SECONDS), "--no-control-socket"),
        *_heartbeat_folder(),
    ]
    return Program("web", command, folder=settings.BASE_DIR, pass_fds=[listener], is_essential=True)


def worker() -> Program:
    """Threads are enough for the embedded product, and share what the process has cached; on Redis, all cores."""
    pool = [] if settings.REDIS_URL else ["--pool", "threads", "--concurrency", "2"]
    queues = ["--queues", f"{DEFAULT_QUEUE},{SWEEPS_QUEUE}"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Program(
        "worker", [*_celery(), "worker", *queues, *pool, *quiet], folder=settings.BASE_DIR, environment=QUIET_ROOT
    )


def beat(*, port: int) -> Program:
    """No pid file, which after a kill would refuse the next start; a schedule file for each product on this machine."""
    schedule = str(settings.VAR_DIR / f"beat-{port}")
    return Program("beat", [*_celery(), "beat", "--schedule", schedule, "--pidfile="], folder=settings.BASE_DIR)


def _celery() -> list[str]:
    return [sys.executable, "-m", "celery", "--quiet", "--app", "gamify_project"]


def _web_workers() -> int:
    """One process on SQLite, where threads keep caches and limits coherent; one per core on PostgreSQL."""
    if connection.vendor == "sqlite":
        return 1
    return int(os.environ.get("WEB_WORKERS") or _cores())


def _web_threads() -> int:
    default = EMBEDDED_WEB_THREADS if connection.vendor == "sqlite" else 1
    return int(os.environ.get("WEB_THREADS") or default)


def _cores() -> int:
    """The cores this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _heartbeat_folder() -> list[str]:
    """Memory where there is some, so that a busy disk does not look like a hung worker."""
    memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes a file there and unlinks it at once
    return ["--worker-tmp-dir", str(memory)] if os.access(memory, os.W_OK) else []
