"""Dump and restore under load: the copy passes `verify_ledger`, and answers like the original."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

from tests.processes import until
from tests.trials.conftest import Installed
from tests.trials.installation import Caller, Installation, dump, restore
from tests.trials.load import Load, load_on
from tests.trials.reporting import size

pytestmark = [pytest.mark.deployment, pytest.mark.timeout(600)]

PEOPLE = size(20, 100)
PAGES = ("", "/points", "/points/transactions", "/state", "/streaks")
WRITES = size(50, 2_000)
BALANCES = "participants_participant"


def test_a_dump_made_under_load_verifies_and_answers_like_the_original(
    installed: Installed, figures: Callable[[str], None]
) -> None:
    with installed(WEB_WORKERS="2") as trial:
        port = trial.serve()
        write_about_resting_people(trial.caller(port))
        with load_on(trial, port) as load:
            until_written(load, WRITES)
            sql = dump(trial.database)
            until_written(load, 2 * WRITES)
        with restored(sql) as url:
            verify(trial, url)
            copy = trial.serve(DATABASE_URL=url)
            paths = [f"participants/resting_{number}{page}" for number in range(PEOPLE) for page in PAGES]
            different = [path for path in paths if answer(trial, port, path) != answer(trial, copy, path)]
        trial.verify_ledger()

    assert different == []
    figures(f"{len(load.acknowledged)} writes during the dump; {len(paths)} GETs equal")


def test_a_dump_without_one_snapshot_does_not_verify(installed: Installed) -> None:
    with installed(WEB_WORKERS="2") as trial:
        with load_on(trial, trial.serve()) as load:
            until_written(load, WRITES)
            early = dump(trial.database, "--data-only", f"--table={BALANCES}")
            until_written(load, 2 * WRITES)
            late = dump(trial.database, f"--exclude-table-data={BALANCES}")

        with restored(late, early) as url, pytest.raises(AssertionError, match="balance"):
            verify(trial, url)


def write_about_resting_people(caller: Caller) -> None:
    """Participants whom the load does not touch."""
    assert caller.post("admin/streaks", {"code": "daily", "name": "Daily", "event_types": ["login"]}).status == 201
    for number in range(PEOPLE):
        person = {"participant_id": f"resting_{number}"}
        answers = [
            caller.post("points/award", {**person, "amount": 10 + number}),
            caller.post("points/deduct", {**person, "amount": 1}),
            caller.post("events", {**person, "event_name": "login"}),
        ]
        assert {answer.status for answer in answers} == {200}, answers


def until_written(load: Load, number: int) -> None:
    until(lambda: len(load.acknowledged) >= number, what=f"{number} writes: {load.statuses()}", seconds=300)


def answer(trial: Installation, port: int, path: str) -> tuple[int, bytes]:
    got = trial.caller(port).get(path)
    return got.status, got.body


@contextmanager
def restored(*dumps: bytes) -> Iterator[str]:
    """A new database with what was dumped; its address."""
    server, name = os.environ["DATABASE_URL"], f"restored_{uuid4().hex}"
    url = f"{server.rpartition('/')[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            for sql in dumps:
                restore(sql, url)
            yield url
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def verify(trial: Installation, url: str) -> None:
    audit = trial.manage("verify_ledger", DATABASE_URL=url)
    assert audit.returncode == 0, audit.stdout + audit.stderr
