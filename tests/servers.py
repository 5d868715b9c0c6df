"""The pytest plugin that gives the suite real servers: loaded by `-p tests.servers`, before Django reads its settings.

With servers (the default): a PostgreSQL and a Redis, booted once by the pytest that was called; xdist's workers inherit
their addresses. With TEST_EMBEDDED=1: SQLite in files and no Redis, which is what `make run` uses; the engine ring, which
needs neither, tests of two connections that wait for each other and those of a deployment are deselected then, and the
report says so.
"""

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import browsers
from tests.booting import NoServer, Server, postgres, redis, throw_away_folder

__all__ = ["NoServer", "Server", "postgres", "redis"]

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
IS_EMBEDDED = os.environ.get("TEST_EMBEDDED") == "1"
NOT_EMBEDDED = ("engine", "two_connections", "deployment", "any_database")
REPORT = pytest.StashKey[list[str]]()
STARTED = pytest.StashKey[float]()
APPLICATION_ROLE = "gamify_test_application"
SCOPE_ROLES = {
    "nothing": APPLICATION_ROLE,
    "tenant": APPLICATION_ROLE,
    "all": f"{APPLICATION_ROLE}_all_tenants",
}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """A wrapper runs before every plain hook, pytest-django's among them, whatever order plugins were loaded in."""
    early_config.stash[STARTED] = time.monotonic()
    early_config.stash[REPORT] = _enter_worker() if WORKER else _boot(early_config)
    yield
    _keep_sqlite_in_files()
    _separate_tenants()


def _boot(config: pytest.Config) -> list[str]:
    """Servers for as long as this pytest lives; the guards clean up if it does not end in an orderly way."""
    stack = contextlib.ExitStack()
    config.add_cleanup(stack.close)
    _forget_developers_environment()
    os.environ["GAMIFY_VAR"] = str(stack.enter_context(throw_away_folder(parent=_fast_folder())))
    if IS_EMBEDDED or _runs_nothing(config):
        return _embedded()
    try:
        database, cache = stack.enter_context(postgres()), stack.enter_context(redis())
    except NoServer as problem:
        raise pytest.UsageError(str(problem)) from problem
    os.environ |= {"DATABASE_URL": database.url, "REDIS_URL": cache.url}
    _create_roles(database.url)
    return [f"{database.description}, {cache.description}"]


def _create_roles(url: str) -> None:
    """Before xdist's workers start, which would create them at the same time: roles belong to the server, not to a database."""
    with psycopg.connect(url, autocommit=True) as connection:
        for role in (f"{APPLICATION_ROLE}_all_tenants", APPLICATION_ROLE):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(f'CREATE ROLE "{role}" NOINHERIT')
        connection.execute(f'GRANT "{APPLICATION_ROLE}_all_tenants" TO "{APPLICATION_ROLE}"')


def _forget_developers_environment() -> None:
    for name in (
        *("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "GAMIFY_ENV", "DEBUG", "ALLOWED_HOSTS"),
        *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "ENCRYPTION_KEYS"),
    ):
        os.environ.pop(name, None)


def _fast_folder() -> str | None:
    """SQLite syncs every commit, as it should; in memory that costs nothing."""
    memory = Path("/dev/shm")
    with contextlib.suppress(OSError):
        free = os.statvfs(memory).f_bavail * os.statvfs(memory).f_frsize
        return str(memory) if os.access(memory, os.W_OK) and free > 2**29 else None
    return None


def _runs_nothing(config: pytest.Config) -> bool:
    options = config.known_args_namespace
    return any(getattr(options, name, False) for name in ("help", "version", "collectonly", "markers", "showfixtures"))


def _embedded() -> list[str]:
    os.environ["DATABASE_URL"] = f"sqlite:///{os.environ['GAMIFY_VAR']}/gamify.sqlite3"
    return [f"SQLite {sqlite3.sqlite_version} in files, no Redis; not run here: markers {' and '.join(NOT_EMBEDDED)}"]


# --- xdist's workers ------------------------------------------------------------------------------------------------


def _enter_worker() -> list[str]:
    """The servers are there; what is not safe to share is the worker's own. (Test databases pytest-django separates.)"""
    folder = Path(os.environ["GAMIFY_VAR"]) / WORKER
    folder.mkdir(exist_ok=True)
    os.environ["GAMIFY_VAR"] = str(folder)
    if url := os.environ.get("REDIS_URL"):
        address, _, number = url.rpartition("/")
        os.environ["REDIS_URL"] = f"{address}/{int(number) + 1 + int(WORKER.removeprefix('gw'))}"
    return []


def _keep_sqlite_in_files() -> None:
    """In memory, Django's default, every thread would share one connection, and nothing would be tested."""
    from django.conf import settings  # noqa: PLC0415 - configured only now

    database: dict[str, Any] = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database.setdefault("TEST", {})["NAME"] = str(Path(os.environ["GAMIFY_VAR"]) / "test.sqlite3")


def _separate_tenants() -> None:
    """The tests' databases get the roles and policies of an installation whose application has a role of its own.

    With TEST_AS_APPLICATION=1 requests, tasks, units of work and commands run as that role, and what a test does itself runs as the
    owner. So a place where the product does not name the tenant sees no rows, and its test fails.
    """
    from django.conf import settings  # noqa: PLC0415 - configured only now

    database: dict[str, Any] = settings.DATABASES["default"]
    if database["ENGINE"] == "gamify_project.postgres":
        settings.APPLICATION_ROLE = APPLICATION_ROLE
        database["SCOPE_ROLES"] = SCOPE_ROLES if os.environ.get("TEST_AS_APPLICATION") == "1" else {}


# --- selection and report -------------------------------------------------------------------------------------------


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what the embedded product does not promise, or what has run with the servers already."""
    if not IS_EMBEDDED:
        return
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in NOT_EMBEDDED)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"servers: {line}" for line in config.stash[REPORT]]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What scripts/test.py puts into its summary of both passes."""
    if path := os.environ.get("TEST_SUMMARY_FILE"):
        counts = {name: len(terminalreporter.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
        seconds = time.monotonic() - config.stash[STARTED]
        report = {"servers": config.stash[REPORT], "left_out": browsers.left_out(config), "seconds": seconds}
        Path(path).write_text(json.dumps(report | counts))
