"""The pytest plugin that finds a Chromium, and leaves out the browser tests on a machine that has none.

`make test` then ends with the names of the files that were left out and the command that installs a browser.
GAMIFY_REQUIRE_BROWSER=1, which `make check` and CI set, makes a missing browser an error instead.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.binaries import wheel_node

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = "GAMIFY_BROWSER"
LEFT_OUT = pytest.StashKey[Counter[str]]()
OF_PLAYWRIGHT = (
    "from playwright.sync_api import sync_playwright as start\nwith start() as p: print(p.chromium.executable_path)"
)


def pytest_configure(config: pytest.Config) -> None:
    """Look for the browser once, in the first process. xdist's workers inherit the answer."""
    config.stash[LEFT_OUT] = Counter()
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(wheel_node()))  # Playwright's own node needs libatomic
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ[BROWSER] = find_browser()
    if os.environ.get("GAMIFY_REQUIRE_BROWSER") == "1" and not browser():
        raise pytest.UsageError(f"GAMIFY_REQUIRE_BROWSER=1, but {reason()}. To run the browser tests: {remedy()}")


def browser() -> str:
    """The path of the browser that tests use, or nothing: then the browser tests are left out."""
    return os.environ[BROWSER]


def find_browser() -> str:
    """The browser that GAMIFY_BROWSER names, else one on PATH, else Playwright's own, else nothing."""
    if _is_switched_off():
        return ""
    if named := os.environ.get(BROWSER):
        return _require(named)
    return next(filter(None, map(shutil.which, NAMES)), None) or _browser_of_playwright()


def _require(name: str) -> str:
    if found := shutil.which(name):
        return found
    raise pytest.UsageError(f"GAMIFY_BROWSER={name}: no such program; name an installed Chromium or unset the variable")


def _browser_of_playwright() -> str:
    """Asked in a process of its own: Playwright's event loop would stay in this one, and it may fail to start."""
    asked = subprocess.run([sys.executable, "-c", OF_PLAYWRIGHT], capture_output=True, text=True, check=False)
    path = asked.stdout.strip()
    return path if path and Path(path).exists() else ""


def reason() -> str:
    return "GAMIFY_WITHOUT_BROWSER=1" if _is_switched_off() else "no browser was found"


def remedy() -> str:
    """What to do so that the browser tests run: the command that installs a browser on this system."""
    if _is_switched_off():
        return "unset GAMIFY_WITHOUT_BROWSER"
    if _is_debian():
        return "apt-get update && apt-get install --yes chromium  (as root)"
    return f"PLAYWRIGHT_NODEJS_PATH={wheel_node()} {sys.executable} -m playwright install --with-deps chromium"


def _is_switched_off() -> bool:
    return os.environ.get("GAMIFY_WITHOUT_BROWSER") == "1"


def _is_debian() -> bool:
    """Debian itself: in Ubuntu the package of that name is a stub for a snap."""
    try:
        return platform.freedesktop_os_release()["ID"] == "debian"
    except OSError:
        return False


# --- selection and report -------------------------------------------------------------------------------------------


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if not browser() and item.get_closest_marker("browser")]
    if left_out:
        config.stash[LEFT_OUT] = Counter(item.location[0] for item in left_out)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Only xdist's workers collect tests, so each tells the first process what it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["browser tests left out"] = dict(session.config.stash[LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """All workers collect the same tests: the newest answer replaces those before it."""
    if found := getattr(node, "workeroutput", {}).get("browser tests left out"):
        node.config.stash[LEFT_OUT] = Counter(found)


def pytest_report_header() -> list[str]:
    return [f"browser: {browser() or f'none ({reason()}); not run here: marker browser'}"]


def left_out(config: pytest.Config) -> dict[str, Any]:
    """What scripts/test.py says in its last lines. Empty if no selected test needs a browser that is missing."""
    files = config.stash[LEFT_OUT]
    return {"files": dict(files), "reason": reason(), "remedy": remedy()} if files else {}
