"""The installation for `install.py`: creates the venv, and installs the requirements with uv or, if uv fails, with pip.

Both check the hashes in the lock files, and so does pip when it installs uv.

uv is ten times as fast as pip, but does not read pip's configuration and, by default, the system's certificates. Both are passed
to it. An error is shown only if both uv and pip fail: the process exits with one line that says why.
"""

import ast
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

INSTALLER = "requirements-install.txt"  # pins uv
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input"]
NETWORK_RETRIES = "2"
HASHED = "--require-hashes"


@contextlib.contextmanager
def lock(folder: str) -> Iterator[None]:
    """Hold a lock on `folder`, or wait for it. It needs no lock file, and ends with the process in any case."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another installation is under way; waiting for it ...")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def install(files: list[str], *, venv: str, python: str) -> None:
    """Install the requirements of `files` into the folder `venv`, whose interpreter is `python`. Exits if it fails."""
    started = time.monotonic()
    names = " and ".join(Path(file).name for file in files)
    _say(f"Installing {names} into {Path(venv).name} (only this once) ...")
    _create_venv(venv, python)
    _install_requirements(files, python)
    _say(f"Installed in {time.monotonic() - started:.0f} s.")


# --- the venv -------------------------------------------------------------------------------------------------------


def _create_venv(venv: str, python: str) -> None:
    """Ensure a venv that works and has pip. An incomplete or moved venv, or one of another Python, is created again."""
    if _is_usable(venv, python) and (_has_pip(python) or _run([python, "-m", "ensurepip"]).returncode == 0):
        return
    result = _run([sys.executable, "-m", "venv", "--clear", venv])
    if result.returncode != 0:
        sys.exit(f"install: could not create {venv}: {_last_line(result)}")


def _is_usable(venv: str, python: str) -> bool:
    check = f"import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix != {venv!r})"
    return Path(python).exists() and _run([python, "-c", check]).returncode == 0


def _has_pip(python: str) -> bool:
    return _run([python, "-c", "import pip"]).returncode == 0


# --- the requirements -----------------------------------------------------------------------------------------------


def _install_requirements(files: list[str], python: str) -> None:
    """Install with uv, or if that fails with pip. If both fail, show the error of pip, which is clearer."""
    requirements = [argument for file in files for argument in ("-r", file)]
    if _install_with_uv(requirements, python):
        return
    installed = _run([python, *PIP, "install", HASHED, "--retries", NETWORK_RETRIES, *requirements])
    if installed.returncode != 0:
        sys.exit(f"install: could not install the requirements (network? package index?): {_last_line(installed)}")


def _install_with_uv(requirements: list[str], python: str) -> bool:
    uv = str(Path(__file__).resolve().parent.parent / INSTALLER)
    got_uv = _run([python, *PIP, "install", HASHED, "--quiet", "--retries", NETWORK_RETRIES, "-r", uv])
    if got_uv.returncode != 0:
        return False
    settings = pip_settings(python)
    no_index = ["--no-index"] if settings.get("no-index", "").lower() in {"1", "true", "yes", "on"} else []
    command = [python, "-m", "uv", "pip", "install", "--python", python, HASHED, *no_index, *requirements]
    return _run(command, environment=uv_environment(settings)).returncode == 0


def pip_settings(python: str) -> dict[str, str]:
    """Return pip's settings by name (`index-url`). `[install]` overrides `[global]`, and environment variables override both."""
    listed = [line.partition("=") for line in _run([python, *PIP, "config", "list"]).stdout.splitlines()]
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for name, _, value in listed:
            if name.startswith(f"{section}."):
                settings[name.removeprefix(f"{section}.").replace("_", "-")] = str(ast.literal_eval(value))
    return settings


def uv_environment(settings: dict[str, str]) -> dict[str, str]:
    """Translate pip's settings to environment variables of uv. They are no arguments, because an index URL may contain a password."""
    from_pip = {
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
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # as in pip: the best version in all indexes
        "UV_COMPILE_BYTECODE": "1",  # four processes start together; none should have to compile
    }
    return {name: value for name, value in from_pip.items() if value} | own


# --- helpers ---------------------------------------------------------------------------------------------------


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
    """Return the line with the reason: pip's first "ERROR:", or else the last line."""
    lines = [line.strip() for line in (process.stderr + process.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines[-1:] or ["no reason given"])[0]


def _say(text: str) -> None:
    print(text, flush=True)
