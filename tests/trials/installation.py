"""An installation of the product whose processes a trial starts, kills and asks: the commands of compose.yaml, in production."""

import contextlib
import http.client
import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import psutil
import psycopg
import pytest
import redis

from tests.binaries import postgres_programs
from tests.booting import free_port
from tests.deployment import HOST, Deployment, commands, deployment
from tests.processes import processes_marked, until

T = TypeVar("T")

SECRET_KEY = secrets.token_urlsafe(64)
TENANTS = ("acme", "globex")
UNCAPPED = {"PARTICIPANT_WRITES_PER_MINUTE": "0", "KEY_REQUESTS_PER_MINUTE": "0", "AUTH_FAILURES_PER_MINUTE": "0"}
CREATE_TENANTS = """
from django.utils import timezone
from participants.services.keys import create_api_key
from participants.services.tenants import create_tenant
for slug in {slugs}:
    tenant = create_tenant(slug=slug, name=slug.title(), now=timezone.now())
    print(create_api_key(tenant=tenant, scopes=["admin"], now=timezone.now()).key)
"""


class Unanswered(Exception):
    """The connection ended without an answer: the server was killed, or it did not answer in time."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """One client of the API, with a connection that stays open."""

    def __init__(self, port: int, key: str, *, seconds: float = 30) -> None:
        self.key = key
        self._client = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.send("POST", path, json.dumps(body).encode(), **headers)

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send one request. `headers` have underscores for hyphens. Raises Unanswered."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        fixed = {"Host": HOST, "X-Forwarded-Proto": "https", "X-API-Key": self.key, "Content-Type": "application/json"}
        try:
            self._client.request(method, f"/api/v1/gamify/{path}", body, fixed | given)
            response = self._client.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(repr(error)) from error

    def close(self) -> None:
        self._client.close()


@dataclass(frozen=True)
class Template:
    """A migrated database with two tenants, which every trial copies; and an admin key of each tenant."""

    name: str
    keys: Mapping[str, str]


@contextlib.contextmanager
def migrated_template(folder: Path) -> Iterator[Template]:
    with deployment(folder) as empty:
        made = replace(empty, environment={**empty.environment, "SECRET_KEY": SECRET_KEY, **UNCAPPED})
        for command in (commands()["migrate"], ["python", "manage.py", "shell", "--no-imports", "-c", "pass"]):
            code = CREATE_TENANTS.format(slugs=TENANTS)
            ran = made.run([code if part == "pass" else part for part in command])
            assert ran.returncode == 0, ran.stderr
        yield Template(made.environment["DATABASE_URL"], dict(zip(TENANTS, ran.stdout.split(), strict=True)))


@contextlib.contextmanager
def copied(template: Template, server: str) -> Iterator[str]:
    """A copy of the template's database, on the same server or another; its address."""
    name = f"trial_{uuid4().hex}"
    address, _, original = template.name.rpartition("/")
    url = f"{server.rpartition('/')[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        if url.startswith(f"{address}/"):
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
        else:
            connection.execute(f'CREATE DATABASE "{name}"')
            restore(dump(template.name), url)
    yield url
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def dump(url: str, *options: str) -> bytes:
    """The SQL of the database, by pg_dump."""
    return subprocess.run([postgres_tool("pg_dump"), *options, url], check=True, capture_output=True).stdout


def restore(sql: bytes, url: str) -> None:
    command = [postgres_tool("psql"), "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", url]
    subprocess.run(command, input=sql, check=True, capture_output=True)


def postgres_tool(name: str) -> str:
    """A program that is installed beside a `postgres`."""
    found = [path for program in postgres_programs() if (path := program.path.with_name(name)).exists()]
    if not found:
        pytest.skip(f"there is no {name} beside any postgres")
    return str(found[0])


@dataclass
class Installation:
    """The processes of an installation, and its database."""

    deployment: Deployment
    keys: Mapping[str, str]
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)

    @property
    def database(self) -> str:
        return self.deployment.environment["DATABASE_URL"]

    def start(self, name: str, **environment: str) -> "subprocess.Popen[bytes]":
        """Start the service `name` of compose.yaml, without waiting for it."""
        number = len(self.processes)
        command = [
            part.replace("/gamify/beat", f"/gamify/beat-{number}") for part in self.deployment.here(commands()[name])
        ]
        with (self.deployment.folder / f"{name}-{number}.log").open("wb") as out:
            process = subprocess.Popen(
                command,
                cwd=self.deployment.code,
                env={**self.deployment.environment, **environment},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def serve(self, **environment: str) -> int:
        """Start a web server on a port of its own, and wait until it answers. Returns the port."""
        port = free_port()
        self.start("web", PORT=str(port), **environment)
        until(lambda: is_alive(port), what=f"the web server answers: {self.logs()[-3000:]}", seconds=90)
        return port

    def caller(self, port: int, slug: str = "acme", **options: Any) -> Caller:
        self.callers.append(Caller(port, self.keys[slug], **options))
        return self.callers[-1]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database answers to `query`, asked by the owner of the tables."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(statement)

    def manage(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return self.deployment.run(["python", "manage.py", *arguments], **environment)

    def verify_ledger(self) -> None:
        """Stop everything, and run `verify_ledger`. Raises AssertionError with its report if it finds a contradiction."""
        self.stop()
        audit = self.manage("verify_ledger")
        assert audit.returncode == 0, audit.stdout + audit.stderr

    def logs(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.deployment.folder.glob("*.log")))

    def stop(self) -> None:
        for caller in self.callers:
            caller.close()
        for pid in processes_marked(str(self.deployment.folder)):
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()
        for process in self.processes:
            process.wait(10)


@contextlib.contextmanager
def installation(
    template: Template,
    folder: Path,
    *,
    without: str = "",
    clock: Path | None = None,
    server: str = "",
    **environment: str,
) -> Iterator[Installation]:
    """An installation on a copy of the template, with nothing running yet; however the block ends, no process is left.

    `without` names the guard that is switched off in all of its processes (`altered/guards.py`).
    `clock` is the file that says how many seconds their clocks are ahead (`altered/clock.py`).
    """
    folder.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        empty = stack.enter_context(deployment(folder))
        url = stack.enter_context(copied(template, server or os.environ["DATABASE_URL"]))
        more = {"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY, **UNCAPPED, **environment}
        if without or clock:
            more |= {"DJANGO_SETTINGS_MODULE": "tests.trials.altered.settings", "TRIAL_WITHOUT": without}
            more |= {"TRIAL_CLOCK": str(clock or "")}
        with redis.Redis.from_url(empty.environment["REDIS_URL"]) as client:
            client.flushdb()
        installed = Installation(replace(empty, environment={**empty.environment, **more}), template.keys)
        stack.callback(installed.stop)
        yield installed


def is_alive(port: int) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.closing(client):
            client.request("GET", "/health", headers={"Host": HOST})
            return client.getresponse().status == 200
    return False


def in_threads(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Run all calls at the same time, and return what they return. Raises what one of them raised."""
    waiting = list(calls)
    with ThreadPoolExecutor(len(waiting)) as pool:
        return [each.result() for each in [pool.submit(call) for call in waiting]]
