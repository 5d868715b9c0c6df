"""Undo: its worker dies by SIGKILL several times, and everything that the cause wrote is taken back exactly once."""

import contextlib
import random
from collections.abc import Callable

import psutil
import pytest

from tests.processes import until
from tests.trials.conftest import Installed
from tests.trials.installation import Installation
from tests.trials.reporting import size

pytestmark = [pytest.mark.deployment, pytest.mark.timeout(900)]

WRITES, PEOPLE = size(300, 5_000), size(30, 500)
KILLS = size(3, 20)
PREPARE = """
from datetime import timedelta
from django.utils import timezone
from gamify.points.services import Change, award
from gamify_project.undo.services import Cause, UndoRequest, store
from participants.actors import Actor, acting_as
from participants.models import Tenant
tenant, now = Tenant.objects.get(slug="acme", environment="live"), timezone.now()
for name, number, amount in (("a", {writes}, 5), ("b", {people}, 3)):
    with acting_as(Actor("api_key:" + name, name)):
        for each in range(number):
            award(tenant=tenant, change=Change(f"user_{{each % {people}}}", amount), now=now)
with acting_as(Actor("staff:1", "operator")):
    store(tenant=tenant, request=UndoRequest(Cause("api_key", "a"), now - timedelta(days=1)), now=timezone.now())
"""
LEASES_ARE_OVER = "UPDATE undo_undo SET leased_until = now() WHERE leased_until IS NOT NULL"
STATUS = "SELECT status FROM undo_undo"
REVERSED = "SELECT count(*) FROM undo_undoitem WHERE state = 'reversed'"
KEPT = "SELECT count(*) FROM undo_undoitem WHERE state = 'kept'"
REVERSALS = "SELECT count(*), count(DISTINCT reverses_id) FROM points_ledgerentry WHERE type = 'reversal'"
BALANCES = "SELECT DISTINCT balance FROM participants_participant"


def test_an_undo_whose_worker_is_killed_again_and_again_takes_everything_back_exactly_once(
    installed: Installed, chance: random.Random, figures: Callable[[str], None]
) -> None:
    with installed(SWEEP_SECONDS="1") as trial:
        figures(undo_all(trial, chance))
        trial.verify_ledger()


def test_if_the_state_of_a_row_is_written_after_its_transaction_a_row_is_tried_twice(
    installed: Installed, chance: random.Random
) -> None:
    with (
        installed(SWEEP_SECONDS="1", without="state_of_undone_rows") as trial,
        pytest.raises(AssertionError, match="not taken back exactly once"),
    ):
        undo_all(trial, chance)


def undo_all(trial: Installation, chance: random.Random) -> str:
    """Undo all writes of one key while workers die. Returns the figures. Raises AssertionError."""
    prepared = trial.manage("shell", "--no-imports", "-c", PREPARE.format(writes=WRITES, people=PEOPLE))
    assert prepared.returncode == 0, prepared.stderr
    trial.start("beat")
    stops = sorted(chance.sample(range(1, WRITES * 2 // 3), KILLS))
    killed_at = [run_until_killed(trial, after=stop) for stop in stops]
    trial.start("worker")
    until(lambda: trial.rows(STATUS) == [("done",)], what="the undo is done", seconds=300)
    found = (*trial.rows(REVERSED), *trial.rows(KEPT), *trial.rows(REVERSALS))
    assert found == ((WRITES,), (0,), (WRITES, WRITES)), f"not taken back exactly once: {found}"
    assert trial.rows(BALANCES) == [(3,)], "something else was taken back"
    return f"{WRITES} writes, {KILLS} kills after {killed_at} rows: each taken back once"


def run_until_killed(trial: Installation, *, after: int) -> int:
    """Start a worker, and kill it with its children when so many rows were taken back. Returns how many were."""
    worker = trial.start("worker")
    until(lambda: trial.rows(REVERSED)[0][0] >= after, what=f"{after} rows are taken back", seconds=120)
    main = psutil.Process(worker.pid)
    for each in [main, *main.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    worker.wait()
    assert trial.rows(STATUS) == [("running",)], "the undo was done before the kill"
    trial.execute(LEASES_ARE_OVER)  # of the worker that was killed
    number: int = trial.rows(REVERSED)[0][0]
    return number
