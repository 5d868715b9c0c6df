"""What a test run does on a machine that has no browser."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROWSER_TESTS = "tests/gamify_project/test_console_browser.py"
OTHER_TEST = "tests/scripts/test_install.py::test_an_old_python_can_read_what_tells_it_that_it_is_old"

pytestmark = pytest.mark.timeout(600)  # each test starts whole runs of pytest, which a busy machine does slowly

Answer = subprocess.CompletedProcess[str]


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine without any browser: none on PATH, and none that Playwright installed."""
    inherited = ("PYTEST_", "TEST_", "GAMIFY_", "PLAYWRIGHT_", "DATABASE_URL", "REDIS_URL", "COV_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(inherited)}
    return environment | {"PATH": "", "HOME": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}


def run(arguments: list[str], environment: dict[str, str]) -> Answer:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_make_test_passes_and_its_last_lines_say_what_was_left_out_and_how_to_install_a_browser(
    bare: dict[str, str],
) -> None:
    answer = run(["scripts/test.py", "--collect-only", "-q", BROWSER_TESTS, OTHER_TEST], bare)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    left_out, file, remedy = answer.stdout.splitlines()[-3:]
    assert left_out == "  left out: 1 browser tests, because no browser was found:"
    assert file == f"    {BROWSER_TESTS} (1)"
    assert "install" in remedy
    assert "chromium" in remedy


def test_workers_report_what_they_left_out(bare: dict[str, str], tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    environment = bare | {"TEST_EMBEDDED": "1", "TEST_SUMMARY_FILE": str(summary)}

    answer = run(["-m", "pytest", "-n", "1", BROWSER_TESTS, OTHER_TEST], environment)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    report = json.loads(summary.read_text())
    assert report["passed"] == 1
    assert report["left_out"]["files"] == {BROWSER_TESTS: 1}


def test_a_run_that_requires_a_browser_fails_without_one(bare: dict[str, str]) -> None:
    answer = run(["-m", "pytest", "--collect-only", OTHER_TEST], bare | {"GAMIFY_REQUIRE_BROWSER": "1"})

    assert answer.returncode == pytest.ExitCode.USAGE_ERROR
    assert "GAMIFY_REQUIRE_BROWSER=1, but no browser was found. To run the browser tests: " in answer.stderr


def test_make_check_requires_a_browser() -> None:
    check = (ROOT / "Makefile").read_text().partition("\ncheck: ")[2].partition("\n\n")[0]

    assert "GAMIFY_REQUIRE_BROWSER=1 $(MAKE) --no-print-directory test" in check
    assert "exec make check" in (ROOT / ".ci/run").read_text()


def test_a_browser_that_is_named_but_missing_is_an_error(bare: dict[str, str]) -> None:
    answer = run(["-m", "pytest", "--collect-only", OTHER_TEST], bare | {"GAMIFY_BROWSER": "/nowhere/chromium"})

    assert answer.returncode == pytest.ExitCode.USAGE_ERROR
    assert "GAMIFY_BROWSER=/nowhere/chromium: no such program" in answer.stderr
