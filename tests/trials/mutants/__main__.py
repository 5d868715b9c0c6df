"""`python -m tests.trials.mutants [--page FILE] [NAME …]`: put each mistake into a copy of the tree, and run the tests of its area.

1. Each mutant is tried, and the test that found it is printed.
2. The tests that found one run again without a mistake. They must pass; otherwise their failure says nothing about the mutant.
3. `--page` writes a table of the mutants and the tests (docs/mutants.md).

Exits with 1 if a test fails without a mistake, or if fewer than 95 % of the mutants were found.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Queue

from tests.booting import postgres, redis
from tests.trials.mutants.page import page_of
from tests.trials.mutants.table import MUTANTS, Mutant, Verdict

ROOT = Path(__file__).resolve().parents[3]
TO_FIND = 0.95
SECONDS = 600
COPIED = ("*.pyc", "__pycache__", ".git", ".venv", "var", "staticfiles", ".mypy_cache", ".ruff_cache", ".pytest_cache")
FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", re.MULTILINE)
PYTEST = ("-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Bench:
    """A copy of the tree with servers of its own, in which one mutant after the other is tried."""

    tree: Path
    environment: dict[str, str]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trials.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="All of them when left out.")
    parser.add_argument(
        "--page", type=Path, help="Write a table of the mutants and the tests that found them to this file."
    )
    arguments = parser.parse_args()
    chosen = [each for each in MUTANTS if not arguments.names or each.name in arguments.names]
    with new_benches(min(len(chosen), os.cpu_count() or 1)) as benches, ThreadPoolExecutor(benches.qsize()) as pool:
        verdicts = list(pool.map(partial(try_mutant, benches=benches), sorted(chosen, key=lambda each: each.rebuilds)))
        if not pass_without_mistake([verdict.test for verdict in verdicts if verdict.test], benches):
            return 1
    if arguments.page:
        arguments.page.write_text(page_of(verdicts))
    found = sum(verdict.test is not None for verdict in verdicts)
    print(f"{found} of {len(verdicts)} mutants found ({found / len(verdicts):.0%}); at least {TO_FIND:.0%} must be")
    return int(found < TO_FIND * len(verdicts))


@contextmanager
def new_benches(number: int) -> Iterator["Queue[Bench]"]:
    with ExitStack() as stack:
        benches: Queue[Bench] = Queue()
        for _ in range(number):
            benches.put(stack.enter_context(new_bench()))
        yield benches


@contextmanager
def new_bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder, postgres() as database, redis() as cache:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*COPIED))
        servers = {"TEST_DATABASE_URL": database.url, "TEST_REDIS_URL": cache.url}
        yield Bench(tree, os.environ | servers | {"TRIALS": ""})


@contextmanager
def taken_from(benches: "Queue[Bench]") -> Iterator[Bench]:
    bench = benches.get()
    try:
        yield bench
    finally:
        benches.put(bench)


def pass_without_mistake(tests: Sequence[str], benches: "Queue[Bench]") -> bool:
    """Run the tests that found mutants against the tree as it is. Returns whether all pass, and prints the first that does not."""
    named = tuple(dict.fromkeys(test for test in tests if "::" in test))
    with taken_from(benches) as bench:
        failed = failed_test(named, bench, "--create-db", seconds=10 * SECONDS)
    if failed:
        print(f"  {failed} fails without a mistake", flush=True)
    return failed is None


def try_mutant(mutant: Mutant, benches: "Queue[Bench]") -> Verdict:
    """Run the tests of the area against a tree with this one mistake, and print what became of it."""
    with taken_from(benches) as bench, mistake_in(bench.tree, mutant):
        began = time.monotonic()
        test = failed_test(mutant.tests, bench, "--create-db" if mutant.rebuilds else "--reuse-db")
    state = f"found by {test}" if test else "SURVIVED"
    print(f"  {mutant.name:<45} {state} ({time.monotonic() - began:.0f} s)", flush=True)
    return Verdict(mutant, test)


def failed_test(tests: Sequence[str], bench: Bench, database: str, seconds: int = SECONDS) -> str | None:
    """Return the first test that fails, or how else the run ended badly. None if all tests pass."""
    command = [sys.executable, *PYTEST, database, *tests]
    try:
        ran = subprocess.run(
            command, cwd=bench.tree, env=bench.environment, capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return f"no end within {seconds} s"
    failed = FAILED.search(ran.stdout)
    return failed[1] if failed else None if ran.returncode == 0 else f"exit code {ran.returncode}"


@contextmanager
def mistake_in(tree: Path, mutant: Mutant) -> Iterator[None]:
    path = tree / mutant.file
    right = path.read_text()
    path.write_text(right.replace(mutant.old, mutant.new))
    try:
        yield
    finally:
        path.write_text(right)


if __name__ == "__main__":
    sys.exit(main())
