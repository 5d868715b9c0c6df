"""An audit of a million ledger entries with a dozen faults among them: all found, how fast, and with how much memory.

The command runs as an operator runs it, in a process of its own, on a durable PostgreSQL.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from bench import ledger, product

SLUGS = ("tenth", "whole")


@dataclass(frozen=True)
class Verified:
    """What one run of the command printed, how long it took from start to end, how much of that its process was computing, and the
    most memory it had.
    """

    code: int
    report: Mapping[str, Any]
    seconds: float
    computing: float
    mebibytes: float


def measure(*, entries: int) -> None:
    with product.installed() as (server, environment), psycopg.connect(server.url, autocommit=True) as connection:
        whole = filled(connection, environment, entries)
        print(f"  {server.description}; {entries:,} entries of {whole['people']:,} participants")
        runs = {slug: _verified(environment, slug) for slug in SLUGS}
        for statement, _, _ in ledger.FAULTS.values():
            connection.execute(statement, whole)
        faulty = _verified(environment, "whole")
    _check(runs, faulty)
    _report(runs | {"whole, with faults": faulty})


def filled(connection: "psycopg.Connection[Any]", environment: Mapping[str, str], entries: int) -> dict[str, Any]:
    """One tenant with a tenth of the entries and one with all; answers what names the latter's rows."""
    values: dict[str, Any] = {}
    for number, (slug, count) in enumerate(zip(SLUGS, (entries // 10, entries), strict=True), start=1):
        made = json.loads(product.manage(environment, "create_tenant", slug, "--json"))
        values = {
            "tenant": made["id"],
            "number": number,
            "people": count // ledger.PER_PERSON,
            "now": datetime.now(UTC),
        }
        for statement in ledger.FILL:
            connection.execute(statement, values)
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")
    return values


def _verified(environment: Mapping[str, str], slug: str) -> Verified:
    command = [sys.executable, "manage.py", "verify_ledger", "--tenant", slug, "--limit", "1000", "--json"]
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, cwd=product.ROOT, env=os.environ | environment, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        out.seek(0)
        report = json.load(out)
    return Verified(
        os.waitstatus_to_exitcode(status), report, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    )


def _check(runs: Mapping[str, Verified], faulty: Verified) -> None:
    if any(run.code for run in runs.values()) or not faulty.code:
        raise RuntimeError(f"exit codes: {[run.code for run in runs.values()]} and {faulty.code}")
    for name, (_, audit, about) in ledger.FAULTS.items():
        if not any(line["audit"] == audit and _is_about(line["about"], about) for line in faulty.report["found"]):
            raise RuntimeError(f"{name} was not found: {faulty.report['found']}")


def _is_about(told: str, about: str) -> bool:
    return told == about or told.startswith(f"{about},")


def _report(runs: Mapping[str, Verified]) -> None:
    for name, run in runs.items():
        rows, drifts = run.report["rows"], run.report["drifts"]
        print(
            f"  {name:<18} {rows:>9,} rows {run.seconds:>6.1f} s, {run.computing:>5.1f} s of its own, "
            f"{run.mebibytes:>6.1f} MiB at most, {drifts:>3} drifts"
        )
    print(f"  all of {len(ledger.FAULTS)} faults were found")
