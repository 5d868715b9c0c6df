"""The pytest plugin of the trials: their seed, their sizes, and the figures that they print at the end.

`make trials` runs them at full size; `make test` runs the short form. TRIAL_SEED repeats a run. The plugin is loaded by `-p` before
xdist starts its workers, so that all of them inherit the same seed.
"""

import os
import secrets
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

IS_FULL = os.environ.get("TRIALS") == "full"
SEED = int(os.environ.setdefault("TRIAL_SEED", str(secrets.randbelow(1_000_000))))
FIGURES = "trial"


def size(short: T, full: T) -> T:
    """Return the size of a trial: `short` in `make test`, `full` in `make trials`."""
    return full if IS_FULL else short


def pytest_report_header() -> str:
    return f"trials: {'full size' if IS_FULL else 'short form'}, repeat with TRIAL_SEED={SEED}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figures of each trial. Under xdist they come from the workers with the reports of their tests."""
    reports = [report for name in ("passed", "failed") for report in terminalreporter.stats.get(name, [])]
    lines = [
        f"  {_name(report)}: {text}"
        for report in reports
        for name, text in getattr(report, "user_properties", ())
        if name == FIGURES
    ]
    if lines:
        terminalreporter.section(f"trials, seed {SEED}")
        for line in lines:
            terminalreporter.write_line(line)


def _name(report: pytest.TestReport) -> str:
    return report.location[2].removeprefix("test_").replace("_", " ")
