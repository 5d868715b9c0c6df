"""PgBouncer in transaction mode between the product and PostgreSQL: nothing is lost, and no limit of time is."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.booting import free_port
from tests.processes import until
from tests.trials.conftest import Installed
from tests.trials.installation import Installation
from tests.trials.load import check_nothing_is_lost, load_on
from tests.trials.reporting import size

pytestmark = [pytest.mark.deployment, pytest.mark.timeout(600)]

WRITES = size(300, 10_000)
CLIENTS = size(4, 8)
REQUESTS_PER_SECOND = size(60, 250)
POOL = 3
"""Connections with PostgreSQL, which all threads of two web processes and a worker share."""
POOLED = {"DATABASE_POOLER": "transaction", "PREPARE_THRESHOLD": "", "LOCK_TIMEOUT_SECONDS": "1"}
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 500
"""


@contextlib.contextmanager
def pooled(folder: Path, url: str) -> Iterator[str]:
    """PgBouncer before the database `url`. Yields the address of the same database through it."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if not program:
        pytest.skip("pgbouncer is not installed: apt-get install pgbouncer")
    given, port = urlsplit(url), free_port()
    address = {"host": given.hostname, "port": given.port, "user": given.username, "password": given.password or ""}
    file = folder / "pgbouncer.ini"
    file.write_text(CONFIGURATION.format(**address, listen_port=port, pool=POOL))
    command = [program, str(file)] if os.getuid() else [program, "-u", "nobody", str(file)]
    with (folder / "pgbouncer.log").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    through = given._replace(netloc=f"{given.netloc.rpartition('@')[0]}@127.0.0.1:{port}").geturl()
    try:
        until(lambda: answers(through), what=f"PgBouncer answers: {(folder / 'pgbouncer.log').read_text()}")
        yield through
    finally:
        process.terminate()
        process.wait(10)


def answers(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=5) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)
    return False


def test_nothing_is_lost_behind_pgbouncer_in_transaction_mode(
    installed: Installed, tmp_path: Path, figures: Callable[[str], None]
) -> None:
    with installed(WEB_WORKERS="2", **POOLED) as trial, pooled(tmp_path, trial.database) as url:
        port = trial.serve(DATABASE_URL=url)
        trial.start("worker", DATABASE_URL=url)
        with load_on(trial, port, slugs=("acme",) * CLIENTS, requests_per_second=REQUESTS_PER_SECOND) as load:
            until(lambda: len(load.acknowledged) >= WRITES, what="enough writes", seconds=400)
        assert trial.caller(port).get("participants/user_0_0/state").status == 200
        assert set(load.statuses()) == {200}, load.statuses()
        check_nothing_is_lost(trial, load)
        [(held,)] = trial.rows(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        trial.verify_ledger()

    assert held <= POOL
    figures(
        f"{len(load.acknowledged)} writes of {CLIENTS} clients over {held} connections, the longest {load.longest():.1f} s"
    )


def test_a_locked_row_is_answered_in_time_behind_pgbouncer(installed: Installed, tmp_path: Path) -> None:
    with installed(WEB_WORKERS="1", **POOLED) as trial, pooled(tmp_path, trial.database) as url:
        caller = trial.caller(trial.serve(DATABASE_URL=url))
        award = {"participant_id": "locked", "amount": 1}
        assert caller.post("points/award", award).status == 200

        with locked(trial):
            began = time.monotonic()
            refused = caller.post("points/award", award)
            seconds = time.monotonic() - began

        assert refused.status == 503
        assert seconds < 5
        assert caller.post("points/award", award).status == 200


@contextlib.contextmanager
def locked(trial: Installation) -> Iterator[None]:
    with psycopg.connect(trial.database) as locking:
        locking.execute("SELECT 1 FROM participants_participant WHERE external_id = 'locked' FOR UPDATE")
        yield
        locking.rollback()
