"""`python -m tests.trials.mutants [NAME …]`: put each mistake into a copy of the tree, and run the tests of its area.

Prints for each mutant the test that found it. Exits with 1 if fewer than 95 % were found.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from tests.booting import postgres, redis
from tests.trials.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[3]
TO_FIND = 0.95
SECONDS = 600
COPIED = ("*.pyc", "__pycache__", ".git", ".venv", "var", "staticfiles", ".mypy_cache", ".ruff_cache", ".pytest_cache")
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
PYTEST = ("-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant. `test` is the test that found it; None if none did."""

    mutant: Mutant
    test: str | None


@dataclass(frozen=True)
class Bench:
    """A copy of the tree with servers of its own, in which one mutant after the other is tried."""

    tree: Path
    environment: dict[str, str]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trials.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="All of them when left out.")
    names = parser.parse_args().names
    chosen = sorted((each for each in MUTANTS if not names or each.name in names), key=lambda each: each.rebuilds)
    with ExitStack() as stack:
        benches: Queue[Bench] = Queue()
        for _ in range(min(len(chosen), os.cpu_count() or 1)):
            benches.put(stack.enter_context(new_bench()))
        with ThreadPoolExecutor(benches.qsize()) as pool:
            verdicts = list(pool.map(lambda mutant: try_mutant(mutant, benches), chosen))
    found = sum(verdict.test is not None for verdict in verdicts)
    print(f"{found} of {len(verdicts)} mutants found ({found / len(verdicts):.0%}); at least {TO_FIND:.0%} must be")
    return int(found < TO_FIND * len(verdicts))


@contextmanager
def new_bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder, postgres() as database, redis() as cache:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*COPIED))
        servers = {"TEST_DATABASE_URL": database.url, "TEST_REDIS_URL": cache.url}
        yield Bench(tree, os.environ | servers | {"TRIALS": ""})


def try_mutant(mutant: Mutant, benches: "Queue[Bench]") -> Verdict:
    """Run the tests of the area against a tree with this one mistake, and print what became of it."""
    bench, began = benches.get(), time.monotonic()
    with mistake_in(bench.tree, mutant):
        test = failed_test(mutant, bench)
    benches.put(bench)
    state = f"found by {test}" if test else "SURVIVED"
    print(f"  {mutant.name:<45} {state} ({time.monotonic() - began:.0f} s)", flush=True)
    return Verdict(mutant, test)


def failed_test(mutant: Mutant, bench: Bench) -> str | None:
    reuse = "--create-db" if mutant.rebuilds else "--reuse-db"
    command = [sys.executable, *PYTEST, reuse, *mutant.tests]
    try:
        ran = subprocess.run(
            command, cwd=bench.tree, env=bench.environment, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"no end within {SECONDS} s"
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
