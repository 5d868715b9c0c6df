"""The installing half of `install.py`: the venv, the index that pip knows, uv for speed and pip when uv cannot.

uv installs in a tenth of pip's time, but reads neither pip's configuration nor, unasked, the system's certificates:
both are handed over. Whatever goes wrong with uv, pip gets its turn before anybody reads an error.
"""

import ast
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from install import LOCKS, PYTHON, ROOT, VENV, Failed, expected_stamp, is_installed, stamp_path

UV = "uv==0.13.9"
PIP = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"]
NETWORK_RETRIES = "2"


def install_once(kind: str) -> None:
    """Install a lock completely, or raise `Failed`; of two starts at once the second waits and finds it done."""
    with _lock():
        if is_installed(kind):
            return
        started = time.monotonic()
        _say(f"Installing {' and '.join(LOCKS[kind])} into .venv (only this once) ...")
        _make_venv()
        _install_requirements(kind)
        _stamp(kind)
        _say(f"Installed in {time.monotonic() - started:.0f} s.")


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    """A lock on the project folder itself: leaves no file behind and ends with the process, however that ends."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield
        return
    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another installation is under way; waiting for it ...")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


# --- the venv -------------------------------------------------------------------------------------------------------


def _make_venv() -> None:
    """A venv that runs and has pip; one that was half made, moved or left by another Python is made again."""
    if _has_pip() or (_is_usable() and _run([PYTHON, "-m", "ensurepip"]).returncode == 0):
        return
    made = _run([sys.executable, "-m", "venv", "--clear", VENV])
    if made.returncode != 0:
        raise Failed(f"could not make {VENV}: {_last_line(made)}")


def _has_pip() -> bool:
    return _is_usable() and _run([PYTHON, "-c", "import pip"]).returncode == 0


def _is_usable() -> bool:
    check = f"import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix != {VENV!r})"
    return Path(PYTHON).exists() and _run([PYTHON, "-c", check]).returncode == 0


# --- the requirements -----------------------------------------------------------------------------------------------


def _install_requirements(kind: str) -> None:
    """uv if it can be had, else pip; only when both fail is there something to say, and pip says it best."""
    files = [argument for name in LOCKS[kind] for argument in ("-r", str(Path(ROOT) / name))]
    if _install_with_uv(files):
        return
    installed = _run([*PIP, "install", "--retries", NETWORK_RETRIES, *files])
    if installed.returncode != 0:
        raise Failed(f"could not install the requirements (network? package index?): {_last_line(installed)}")


def _install_with_uv(files: list[str]) -> bool:
    got_uv = _run([*PIP, "install", "--quiet", "--retries", NETWORK_RETRIES, UV])
    if got_uv.returncode != 0:
        return False
    settings = pip_settings()
    no_index = ["--no-index"] if settings.get("no-index", "").lower() in {"1", "true", "yes", "on"} else []
    command = [PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON, *no_index, *files]
    return _run(command, environment=uv_environment(settings)).returncode == 0


def pip_settings() -> dict[str, str]:
    """pip's settings for an installation by bare name (`index-url`); files give way to `[install]`, that to variables."""
    listed = [line.partition("=") for line in _run([*PIP, "config", "list"]).stdout.splitlines()]
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for name, _, value in listed:
            if name.startswith(f"{section}."):
                settings[name.removeprefix(f"{section}.").replace("_", "-")] = str(ast.literal_eval(value))
    return settings


def uv_environment(settings: dict[str, str]) -> dict[str, str]:
    """What pip is told, in uv's words; by environment, since an index address may hold a password."""
    handed_over = {
        "UV_DEFAULT_INDEX": settings.get("index-url", ""),
        "UV_INDEX": " ".join(settings.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(settings.get("find-links", "").split()),
        "UV_INSECURE_HOST": " ".join(settings.get("trusted-host", "").split()),
        "SSL_CERT_FILE": settings.get("cert", ""),
        "ALL_PROXY": settings.get("proxy", ""),
    }
    own = {
        "UV_SYSTEM_CERTS": "true",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # as pip: the best version of all indexes, not the first index's
        "UV_COMPILE_BYTECODE": "1",  # four processes start at once; let none of them compile
    }
    return {name: value for name, value in handed_over.items() if value} | own


# --- small things ---------------------------------------------------------------------------------------------------


def _stamp(kind: str) -> None:
    """Written last, so that what was interrupted is done again; the larger lock includes the smaller."""
    for included in LOCKS:
        if set(LOCKS[included]) <= set(LOCKS[kind]):
            Path(stamp_path(included)).write_text(expected_stamp(included))


def _run(command: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _last_line(process: subprocess.CompletedProcess[str]) -> str:
    """The line that names the reason: pip's first "ERROR:", or the last thing said."""
    lines = [line.strip() for line in (process.stderr + process.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines[-1:] or ["no reason given"])[0]


def _say(text: str) -> None:
    print(text, flush=True)
