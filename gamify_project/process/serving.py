"""The command `manage.py serve`: runs the whole product under one foreground process.

The order of steps makes the start fast. Loading Django takes most of the time, so the web server loads it in its own process
while this process migrates and prepares first-use data. Then the web server, which waits at a gate, may serve requests.
Therefore this module must not import models, views or the ORM at the top.
"""

import errno
import http.client
import os
import signal
import socket
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from gamify_project.celery_config import WEBHOOKS_QUEUE
from gamify_project.counting import share_counts
from gamify_project.logs import log_format
from gamify_project.process.output import Log
from gamify_project.process.programs import Program
from gamify_project.process.stop_signals import parent_watch
from gamify_project.process.supervisor import Supervisor

BASE_DIR = Path(__file__).resolve().parents[2]
BACKLOG = 2048
MAX_SECONDS_TO_HEALTH = 60.0
MAX_SECONDS_FOR_WEB_ALONE = 3.0
QUIET_ROOT = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}


class Unservable(Exception):
    """The product cannot be served here. The message says why, and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Parse the command line, serve until stopped, and return the exit code."""
    parser = ArgumentParser(prog="manage.py serve")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    return serve(host=options.host, port=options.port, stop_with_parent=options.stop_with_parent)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1", help="default: $HOST or 127.0.0.1")
    parser.add_argument("--port", default=os.environ.get("PORT") or "8000", help="default: $PORT or 8000")
    parser.add_argument("--stop-with-parent", action="store_true", help="stop when the calling process is gone")


def serve(*, host: str, port: str, stop_with_parent: bool) -> int:
    """Bind the port, load Django, migrate and prepare; then run web server, worker and beat. Return the exit code."""
    is_parent_gone = parent_watch() if stop_with_parent else lambda: False
    share_counts()  # of the programs, so that one page has the numbers of all
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # until the supervisor handles signals itself
    try:
        with _listen(host, port) as listener, Supervisor() as supervisor:
            _start_everything(supervisor, listener=listener, host=host)
            return supervisor.run(is_parent_gone=is_parent_gone)
    except Unservable as problem:
        print(problem, file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    except KeyboardInterrupt:
        return 130


def _start_everything(supervisor: Supervisor, *, listener: socket.socket, host: str) -> None:
    supervisor.log.is_json = log_format(os.environ) == "json"
    gate, gate_opener = os.pipe()
    supervisor.add(_web(listener=listener.fileno(), gate=gate))
    port = listener.getsockname()[1]
    _load_django()
    banner, wants_demo = _prepare(host=host, port=port)
    os.close(gate_opener)  # opens the gate
    is_up = threading.Event()
    greeting = (supervisor.log, banner, listener.getsockname(), is_up)
    threading.Thread(target=_greet, args=greeting, daemon=True).start()
    is_up.wait(MAX_SECONDS_FOR_WEB_ALONE)
    for worker in _workers():
        supervisor.add(worker)
    supervisor.add(_beat(port=port))
    if wants_demo:
        supervisor.add(_demo())


# --- the port -------------------------------------------------------------------------------------------------------


def _listen(host: str, port: str) -> socket.socket:
    """Bind the port first, and keep it open while the web server is restarted."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
        return socket.create_server((str(address[0]), int(port)), family=family, backlog=BACKLOG)
    except (OSError, ValueError, OverflowError) as error:
        raise Unservable(_listen_error(host, port, error)) from error


def _listen_error(host: str, port: str, error: Exception) -> str:
    problem = {
        errno.EADDRINUSE: f"Port {port} is in use; stop what is running there, or choose another",
        errno.EACCES: f"Port {port} is reserved for the superuser; choose another",
    }.get(getattr(error, "errno", None) or 0, f"Cannot listen on HOST={host} PORT={port} ({error}); choose others")
    return f"{problem}: PORT=8001 make run"


# --- loading and preparing ---------------------------------------------------------------------------------------------------


def _load_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gamify_project.settings")
    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise Unservable(f"The settings are invalid: {error}") from error


def _prepare(*, host: str, port: int) -> tuple[str, bool]:
    """Migrate the database and create first-use data. Return the banner, and whether days of the demo are missing."""
    from gamify_project.process import readiness  # noqa: PLC0415 - imports models, so not before Django is loaded

    try:
        readiness.migrate()
        return readiness.first_use_data(host=host, port=port)
    except (readiness.DatabaseError, readiness.CommandError) as error:
        raise Unservable(f"The database cannot be used: {str(error).strip().splitlines()[0]}") from error


# --- the programs ---------------------------------------------------------------------------------------------------


def _web(*, listener: int, gate: int) -> Program:
    command = [sys.executable, "-m", "gunicorn", "--config", "python:gamify_project.process.gunicorn_config"]
    return Program(
        "web",
        [*command, "gamify_project.wsgi"],
        folder=BASE_DIR,
        environment={"GAMIFY_LISTENER_FD": str(listener), "GAMIFY_GATE_FD": str(gate)},
        pass_fds=[listener, gate],
        is_essential=True,
    )


def _workers() -> list[Program]:
    """Return the Celery workers.

    Without Redis it is one worker with threads, of which deliveries never occupy all. With Redis workers are processes, so
    deliveries get their own worker.
    """
    if not settings.REDIS_URL:
        return [_worker("worker")]
    deliveries = ["--queues", WEBHOOKS_QUEUE, "--pool", "threads", "--concurrency", "2"]
    return [_worker("worker", "--exclude-queues", WEBHOOKS_QUEUE), _worker("deliveries", *deliveries)]


def _worker(name: str, *options: str) -> Program:
    """Return a worker program. Gossip between workers is disabled because it is not needed."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Program(name, [*_celery(), "worker", *quiet, *options], folder=BASE_DIR, environment=QUIET_ROOT)


def _beat(*, port: int) -> Program:
    """Return the beat program.

    It has no pid file, because after a kill the old file would prevent the next start. The schedule file is named after the port,
    so that several installations on one machine do not share it.
    """
    schedule = str(settings.VAR_DIR / f"beat-{port}")
    return Program("beat", [*_celery(), "beat", "--schedule", schedule, "--pidfile="], folder=BASE_DIR)


def _demo() -> Program:
    """Return the program that fills the demo tenant. It runs in the background, because ninety days take a while."""
    return Program("demo", [sys.executable, "manage.py", "seed_demo"], folder=BASE_DIR, runs_once=True)


def _celery() -> list[str]:
    return [sys.executable, "-m", "celery", "--quiet", "--app", "gamify_project"]


# --- the greeting ---------------------------------------------------------------------------------------------------


def _greet(log: Log, banner: str, address: tuple[str, int], is_up: threading.Event) -> None:
    """Print the banner as soon as the web server answers, so that the calls in it work."""
    deadline = time.monotonic() + MAX_SECONDS_TO_HEALTH
    while time.monotonic() < deadline:
        if _is_healthy(*address[:2]):
            is_up.set()
            log.plain(banner)
            return
        time.sleep(0.05)


def _is_healthy(host: str, port: int) -> bool:
    """Whether the server answers without a server error. A 400 counts as healthy: ALLOWED_HOSTS may refuse this host name."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - an address to call, not to listen on
    try:
        client = http.client.HTTPConnection(reachable, port, timeout=5)
        client.request("GET", "/health")
        return client.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
