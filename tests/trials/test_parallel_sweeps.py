"""Sweeps: three beats start them in five workers that are killed, and every due risk and break is announced exactly once."""

import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen

import psutil
import pytest

from tests.processes import until
from tests.trials.altered.clock import set_clock
from tests.trials.conftest import Installed
from tests.trials.installation import Installation
from tests.trials.reporting import IS_FULL, size

pytestmark = [pytest.mark.deployment, pytest.mark.timeout(1200)]

DUE = size(1_500, 5_000)
KILLS = size(4, 30)
BEATS, WORKERS = size(2, 3), size(3, 5)
LAST_DAY = datetime(2026, 2, 14, tzinfo=UTC)
WARNING, BREAK = LAST_DAY + timedelta(hours=45), LAST_DAY + timedelta(hours=49)
PREPARE = """
from participants.models import Tenant
from tests.streaks.sweeping import create_runs_of_three_days, define
tenant = Tenant.objects.get(slug="acme", environment="live")
create_runs_of_three_days(tenant, define(tenant), {number})
"""
EVENTS = "SELECT data->>'user_id' FROM participants_domainevent WHERE type = %s"
LEFT = "SELECT count(*) FROM streaks_participantstreak WHERE {column} <= %s"


def test_every_risk_and_break_is_announced_once_by_several_beats_and_workers_that_are_killed(
    installed: Installed, chance: random.Random, figures: Callable[[str], None], tmp_path: Path
) -> None:
    with installed(clock=tmp_path / "clock", SWEEP_SECONDS="1") as trial:
        figures(announce_all(trial, tmp_path / "clock", chance, kills=KILLS))
        trial.verify_ledger()


@pytest.mark.skipif(not IS_FULL, reason="few sweeps seldom collide: make trials")
def test_without_locks_an_event_is_announced_twice(installed: Installed, chance: random.Random, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    with (
        installed(clock=clock, without="locks_of_due_rows", SWEEP_SECONDS="1") as trial,
        pytest.raises(AssertionError, match="not announced exactly once"),
    ):
        announce_all(trial, clock, chance, kills=0)


def announce_all(trial: Installation, clock: Path, chance: random.Random, *, kills: int) -> str:
    """Let first the risks and then the breaks become due while workers die. Returns the figures. Raises AssertionError."""
    prepare(trial, clock)
    beats = [trial.start("beat") for _ in range(BEATS)]
    workers = [trial.start("worker") for _ in range(WORKERS)]
    people = Counter(f"user_{number}" for number in range(DUE))
    for event, column, now in (("streak.at_risk", "at_risk_at", WARNING), ("streak.broken", "breaks_at", BREAK)):
        set_clock(clock, seconds_ahead=(now - datetime.now(UTC)).total_seconds())
        kill_workers(trial, workers, chance, kills // 2)
        until(lambda column=column, now=now: none_is_due(trial, column, now), what=f"{event} is announced", seconds=600)
        announced = Counter(name for (name,) in trial.rows(EVENTS, event))
        assert announced == people, f"{event} was not announced exactly once: {(announced - people).most_common(3)}"
    assert all(beat.poll() is None for beat in beats), trial.logs()[-3000:]
    return f"{DUE} streaks, {BEATS} beats, {WORKERS} workers, {kills} kills: {DUE} risks and {DUE} breaks, each announced once"


def prepare(trial: Installation, clock: Path) -> None:
    set_clock(clock, seconds_ahead=(LAST_DAY - datetime.now(UTC)).total_seconds())
    prepared = trial.manage("shell", "--no-imports", "-c", PREPARE.format(number=DUE))
    assert prepared.returncode == 0, prepared.stderr


def kill_workers(trial: Installation, workers: list["Popen[bytes]"], chance: random.Random, kills: int) -> None:
    """Kill a process of a random worker. Start the worker again if it was its main process."""
    for _ in range(kills):
        time.sleep(chance.uniform(0.1, 0.5))
        number = chance.randrange(len(workers))
        family = family_of(workers[number])
        victims = family if chance.random() < 0.3 else family[1:2] or family
        for each in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        if workers[number].pid in {each.pid for each in victims}:
            workers[number].wait()
            workers[number] = trial.start("worker")


def family_of(process: "Popen[bytes]") -> Sequence[psutil.Process]:
    """The process and its children."""
    main = psutil.Process(process.pid)
    return [main, *main.children(recursive=True)]


def none_is_due(trial: Installation, column: str, now: datetime) -> bool:
    return trial.rows(LEFT.format(column=column), now) == [(0,)]
