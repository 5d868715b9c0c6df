"""Run the whole suite twice: on PostgreSQL with Redis, then as `make run` runs it, on SQLite without Redis.

    .venv/bin/python scripts/test.py [pytest arguments]

The passes run one after the other, because each uses all cores. Both always run, and the summary names their servers, so that a
missing pass cannot be overlooked. If there is no browser, the last lines name the skipped browser tests and the command that
installs a browser.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PASSES = {"with servers": {}, "embedded": {"TEST_EMBEDDED": "1"}}
NO_TESTS_COLLECTED = 5
INTERRUPTED = 2
_WORDS = {0: "passed", NO_TESTS_COLLECTED: "empty ", INTERRUPTED: "stopped"}


def main(arguments: list[str]) -> int:
    """Run the passes and print a line for each. Return the exit code: that of a failed pass if there is one."""
    lines: list[str] = []
    codes: list[int] = []
    left_out: dict[str, Any] = {}
    for name, environment in PASSES.items():
        code, report = _run(environment, arguments)
        codes.append(code)
        left_out = left_out or report.get("left_out", {})
        lines.append(f"  {name:<13} {_WORDS.get(code, 'FAILED')}  {_describe(report)}")
        if code == INTERRUPTED:
            break
    print("\nmake test:", *lines, *_describe_left_out(left_out), sep="\n")
    return _verdict(codes)


def _run(environment: dict[str, str], arguments: list[str]) -> tuple[int, dict[str, Any]]:
    """Run one pass; return its exit code and its report. An interrupted pass still stops its servers."""
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        inherited = {name: value for name, value in os.environ.items() if name != "TEST_EMBEDDED"}
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=ROOT,
            env=inherited | environment | {"TEST_SUMMARY_FILE": str(summary)},
        )
        code = _wait(process)
        return code, json.loads(summary.read_text()) if summary.exists() else {}


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """Wait for pytest. Ctrl-C reaches both processes; pytest handles it, so continue to wait."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _describe(report: dict[str, Any]) -> str:
    if not report:
        return "no test ran; see the lines above for the reason"
    counts = [f"{report[name]} {name}" for name in ("passed", "failed", "error", "skipped") if report[name]]
    servers = "; ".join(str(server) for server in report["servers"])
    return f"{', '.join(counts) or 'nothing ran'} in {report['seconds']:.0f} s  ({servers})"


def _describe_left_out(left_out: dict[str, Any]) -> list[str]:
    """Return lines about browser tests that ran in no pass, and the command that installs a browser."""
    if not left_out:
        return []
    return [
        f"  left out: {sum(left_out['files'].values())} browser tests, because {left_out['reason']}:",
        *(f"    {file} ({number})" for file, number in sorted(left_out["files"].items())),
        f"  to run them too: {left_out['remedy']}",
    ]


def _verdict(codes: list[int]) -> int:
    """Return the exit code. A selection may be empty in one pass (`-m engine` in the second), but not in both."""
    failed = [code for code in codes if code not in {0, NO_TESTS_COLLECTED}]
    return failed[0] if failed else min(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
