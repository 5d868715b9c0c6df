"""The product under load: migrated into a database, served by gunicorn as `manage.py serve` does on PostgreSQL."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import load

ROOT = Path(__file__).resolve().parent.parent
WORKERS = os.cpu_count() or 1


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    environment = os.environ | environment
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def new_key(environment: Mapping[str, str], slug: str) -> str:
    """A tenant without caps, and a key to it."""
    manage(environment, "create_tenant", slug)
    key: str = json.loads(manage(environment, "create_api_key", "--tenant", slug, "--json"))["key"]
    return key


def define(port: int, environment: Mapping[str, str], slug: str, kind: str, *definitions: Mapping[str, Any]) -> None:
    """Define `kind`, such as streaks, by the admin API."""
    made = manage(environment, "create_api_key", "--tenant", slug, "--scope", "admin", "--json")
    key = json.loads(made)["key"]
    for definition in definitions:
        request = load.post(f"/api/v1/gamify/admin/{kind}", json.dumps(definition).encode(), key=key)
        if (status := load.ask(port, request)) != 201:
            raise RuntimeError(f"a definition among the {kind} was answered {status}")


@contextlib.contextmanager
def served(environment: Mapping[str, str]) -> Iterator[int]:
    """gunicorn as in production, with a worker per core; yields the port."""
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "python:gamify_project.process.gunicorn_config"]
    command += [
        "--workers",
        str(WORKERS),
        "--bind",
        f"127.0.0.1:{port}",
        "--log-level",
        "warning",
    ]
    server = subprocess.Popen([*command, "gamify_project.wsgi"], cwd=ROOT, env=os.environ | environment)
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError("gunicorn did not answer within 30 s")
