"""Watching processes from outside, for tests of what outlives whom."""

import time
from collections.abc import Callable

import psutil


def until(is_true: Callable[[], bool], *, what: str, seconds: float = 30) -> None:
    """Wait until something becomes true; fail saying what never did."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def processes_marked(mark: str) -> list[int]:
    """Every living process that inherited GAMIFY_TEST=<mark>, however far down, guards included."""
    return [process.pid for process in psutil.process_iter(["environ", "status"]) if _is_marked(process.info, mark)]


def _is_marked(info: dict[str, object], mark: str) -> bool:
    environment = info["environ"] or {}
    is_ours = isinstance(environment, dict) and environment.get("GAMIFY_TEST") == mark
    return is_ours and info["status"] != psutil.STATUS_ZOMBIE
