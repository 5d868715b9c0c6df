"""Exports: a worker is killed in the middle of a file of several parts, and the next one goes on where it was."""

import contextlib
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from bench import ledger
from tests.processes import until
from tests.trials.altered.clock import set_clock
from tests.trials.conftest import Installed
from tests.trials.installation import Caller, Installation
from tests.trials.reporting import IS_FULL, size

pytestmark = [pytest.mark.deployment, pytest.mark.timeout(1200)]

ENTRIES = size(60_000, 1_000_000)
KILLED_AFTER = size(1, 10)  # parts
SECONDS_OF_A_LEASE = 61
STATE = "SELECT status, build, parts, attempts FROM exports_export"
PARTS = "SELECT number, id FROM exports_exportpart ORDER BY number"
ENTRIES_IN_ORDER = """
    SELECT entry.id::text FROM points_ledgerentry entry JOIN participants_tenant tenant ON tenant.id = entry.tenant_id
    WHERE tenant.slug = 'acme' AND tenant.environment = 'live' ORDER BY entry.participant_id, entry.number
"""


def test_an_export_whose_worker_is_killed_goes_on_where_it_was(
    installed: Installed, figures: Callable[[str], None], tmp_path: Path
) -> None:
    with installed(clock=tmp_path / "clock", SWEEP_SECONDS="1") as trial:
        figures(export_all(trial, tmp_path / "clock"))
        trial.verify_ledger()


@pytest.mark.skipif(not IS_FULL, reason="another installation, for one more minute: make trials")
def test_without_the_stored_place_rows_are_exported_twice(installed: Installed, tmp_path: Path) -> None:
    with (
        installed(clock=tmp_path / "clock", without="place_in_exports", SWEEP_SECONDS="1") as trial,
        pytest.raises(AssertionError, match="the file does not have the entries of the ledger"),
    ):
        export_all(trial, tmp_path / "clock")


def export_all(trial: Installation, clock: Path) -> str:
    """Export the ledger of a tenant, and kill the worker meanwhile. Returns the figures. Raises AssertionError."""
    set_clock(clock, seconds_ahead=0)
    fill(trial)
    port = trial.serve()
    created = trial.caller(port).post("admin/exports", {"kind": "ledger", "format": "ndjson"}).json()
    trial.start("beat")
    trial.start("worker")
    until(lambda: parts_of(trial) >= KILLED_AFTER, what=f"{KILLED_AFTER} parts are written", seconds=300)
    kill(trial)

    before = trial.rows(PARTS)
    assert trial.rows(STATE) == [("running", 1, len(before), 1)], "the file was complete before the kill"
    set_clock(clock, seconds_ahead=SECONDS_OF_A_LEASE)
    trial.start("worker")
    until(lambda: trial.rows(STATE)[0][0] not in ("queued", "running"), what="the export ends", seconds=300)

    after = trial.rows(PARTS)
    assert after[: len(before)] == before, "parts were written again"
    check_file(trial, trial.caller(port), f"admin/exports/{created['id']}")
    return f"{ENTRIES:,} entries in {len(after)} parts, worker killed after {len(before)}: rows and SHA-256 are right"


def fill(trial: Installation) -> None:
    [[tenant]] = trial.rows("SELECT id FROM participants_tenant WHERE slug = 'acme' AND environment = 'live'")
    people = ENTRIES // ledger.PER_PERSON
    values = {"tenant": tenant, "number": 1, "people": people, "now": datetime.now(UTC)}
    with psycopg.connect(trial.database, autocommit=True) as connection:
        for statement in ledger.FILL:
            connection.execute(statement, values)


def parts_of(trial: Installation) -> int:
    [(_, _, parts, _)] = trial.rows(STATE)
    return int(parts)


def kill(trial: Installation) -> None:
    """Kill the newest process of the installation, which is its worker, with its children."""
    worker = psutil.Process(trial.processes[-1].pid)
    for process in [worker, *worker.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()  # SIGKILL
    trial.processes[-1].wait()


def check_file(trial: Installation, caller: Caller, path: str) -> None:
    """Compare the file with the ledger. Raises: AssertionError."""
    about: dict[str, Any] = caller.get(path).json()
    assert about["status"] == "done", about
    data = caller.get(f"{path}/file").body
    ids = [json.loads(line)["id"] for line in data.splitlines()]
    assert ids == [each for (each,) in trial.rows(ENTRIES_IN_ORDER)], "the file does not have the entries of the ledger"
    assert about["rows"] == len(ids) == ENTRIES
    assert about["size"] == len(data)
    assert about["sha256"] == hashlib.sha256(data).hexdigest()
