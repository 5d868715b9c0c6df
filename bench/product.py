"""The product under load: migrated into a database, served by gunicorn as `manage.py serve` does on PostgreSQL."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import load
from tests.booting import postgres

ROOT = Path(__file__).resolve().parent.parent
WORKERS = os.cpu_count() or 1
UNCAPPED = {"PARTICIPANT_WRITES_PER_MINUTE": "0", "KEY_REQUESTS_PER_MINUTE": "0", "LOG_LEVEL": "WARNING"}


@contextlib.contextmanager
def installed(**more: str) -> Iterator[tuple[Any, dict[str, str]]]:
    """A migrated PostgreSQL with its default durability, and the environment of the product on it, without caps."""
    with postgres(options={}) as server, tempfile.TemporaryDirectory() as var:
        environment = {"DATABASE_URL": server.url, "GAMIFY_VAR": var, **UNCAPPED, **more}
        manage(environment, "migrate", "-v0")
        yield server, environment


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    environment = os.environ | environment
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def new_key(environment: Mapping[str, str], slug: str, *scopes: str) -> str:
    """A new tenant, and a key to it."""
    manage(environment, "create_tenant", slug)
    return _key(environment, slug, *scopes)


def _key(environment: Mapping[str, str], slug: str, *scopes: str) -> str:
    options = [option for scope in scopes for option in ("--scope", scope)]
    key: str = json.loads(manage(environment, "create_api_key", "--tenant", slug, "--json", *options))["key"]
    return key


def define(port: int, environment: Mapping[str, str], slug: str, kind: str, *definitions: Mapping[str, Any]) -> None:
    """Define `kind`, such as streaks, by the admin API."""
    key = _key(environment, slug, "admin")
    for definition in definitions:
        request = load.post(f"/api/v1/gamify/admin/{kind}", json.dumps(definition).encode(), key=key)
        if (status := load.ask(port, request)) != 201:
            raise RuntimeError(f"a definition among the {kind} was answered {status}")


def reward_with_codes(port: int, environment: Mapping[str, str], slug: str, *, codes: int) -> str:
    """Create a coupon that costs one point, with so many codes. Returns its id."""
    define(
        port,
        environment,
        slug,
        "rewards",
        {"name": "Coupon", "reward_type": "coupon", "points_cost": 1, "max_claims_per_user": 1000},
    )
    script = f"from rewards.models import Reward; print(Reward.objects.filter(tenant__slug={slug!r}).latest('id').pk)"
    reward = manage(environment, "shell", "--no-imports", "-c", script).strip()
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("code\n")
        file.writelines(f"CODE-{number}\n" for number in range(codes))
        file.flush()
        manage(environment, "import_codes", file.name, "--tenant", slug, "--reward", reward)
    return reward


@contextlib.contextmanager
def served(environment: Mapping[str, str]) -> Iterator[int]:
    """gunicorn with a worker per core; yields the port."""
    with served_process(environment) as (port, _):
        yield port


@contextlib.contextmanager
def served_process(environment: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """gunicorn as in production, with a worker per core; yields the port, and the id of the process whose children are the workers."""
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
        yield port, server.pid
    finally:
        server.terminate()
        server.wait(timeout=30)


@contextlib.contextmanager
def served_beside_floor(environment: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """The product and the framework's floor; yields their ports."""
    with (
        served(environment) as port,
        served({**environment, "DJANGO_SETTINGS_MODULE": "bench.floor_settings"}) as floor,
    ):
        yield port, floor


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
