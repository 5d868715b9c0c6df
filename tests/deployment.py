"""What compose.yaml runs, run without Docker: the same commands, in production, on a PostgreSQL and a Redis."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psutil
import psycopg
import yaml

from tests.booting import free_port
from tests.processes import processes_marked, until

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = ROOT / "compose.yaml"
HOST = "gamify.example"


def commands() -> dict[str, list[str]]:
    """What each service of ours runs."""
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    return {name: service["command"] for name, service in services.items() if "build" in service}


@dataclass(frozen=True)
class Deployment:
    """An installation: its folder, the environment of its processes, and the folder of the code that they run."""

    folder: Path
    environment: Mapping[str, str]
    code: Path = ROOT

    @property
    def port(self) -> int:
        return int(self.environment["PORT"])

    def run(self, command: Sequence[str], **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.here(command),
            cwd=self.code,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    def here(self, command: Sequence[str]) -> list[str]:
        """The programs of this environment, and the volume as a folder of ours."""
        program = Path(sys.executable).with_name(command[0])
        return [str(program), *(part.replace("/var/lib/gamify", str(self.folder / "var")) for part in command[1:])]

    @contextmanager
    def running(self, name: str, *, until_it_says: str) -> Iterator["subprocess.Popen[bytes]"]:
        """The service, up; it gets SIGTERM at the end, as from `docker stop`."""
        output = self.folder / f"{name}.log"
        with output.open("wb") as out:
            process = subprocess.Popen(
                self.here(commands()[name]),
                cwd=self.code,
                env=dict(self.environment),
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            until(lambda: until_it_says in output.read_text(), what=f"{until_it_says!r} of {name}", seconds=60)
            yield process
            process.terminate()
            process.wait(15)
        finally:
            for pid in processes_marked(str(self.folder)):
                psutil.Process(pid).kill()


@contextmanager
def deployment(folder: Path, *, has_owner: bool = False) -> Iterator[Deployment]:
    """An empty database beside the one of the tests, a secret, and the variables that compose.yaml and .env give.

    `has_owner`: the application has a role of its own, as in compose.yaml. Else it is the owner itself.
    """
    server = os.environ["DATABASE_URL"]
    with separated_database(server) if has_owner else database_of_owner(server) as urls:
        environment = {
            "PATH": os.environ["PATH"],
            "GAMIFY_ENV": "production",
            "GAMIFY_VAR": str(folder / "var"),
            "GAMIFY_TEST": str(folder),
            "STATIC_ROOT": str(folder / "static"),
            "SECRET_KEY": secrets.token_urlsafe(64),
            "ALLOWED_HOSTS": HOST,
            "TRUSTED_PROXIES": "1",
            **urls,
            "REDIS_URL": os.environ["REDIS_URL"],
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
            "WEB_WORKERS": "2",
        }
        yield Deployment(folder, environment)


@contextmanager
def database_of_owner(server: str) -> Iterator[Mapping[str, str]]:
    """An empty database as one address, of the role that owns it."""
    with empty_database(server) as owner:
        yield {"DATABASE_URL": owner}


@contextmanager
def separated_database(server: str) -> Iterator[Mapping[str, str]]:
    """An empty database as its two addresses: the owner's, and that of the application's role, which `migrate` creates."""
    with empty_database(server) as owner:
        name = owner.rpartition("/")[2]
        application = urlsplit(owner)._replace(
            netloc=f"{name}:pa$$%27{secrets.token_hex(8)}@{urlsplit(owner).netloc.rpartition('@')[2]}"
        )
        yield {"DATABASE_URL": urlunsplit(application), "DATABASE_OWNER_URL": owner}
    with psycopg.connect(server, autocommit=True) as connection:
        for role in (name, f"{name}_all_tenants"):
            connection.execute(f'DROP ROLE IF EXISTS "{role}"')


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    name = f"deployment_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield f"{server.rpartition('/')[0]}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
