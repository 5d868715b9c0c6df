"""Restarts: two web nodes behind nginx restart one after the other, and a migration runs, and no request is lost."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.processes import until
from tests.trials.conftest import Installed
from tests.trials.installation import Installation, is_alive
from tests.trials.load import Load, check_nothing_is_lost, load_on
from tests.trials.nginx import nginx_before, nginx_program
from tests.trials.reporting import size

pytestmark = [pytest.mark.deployment, pytest.mark.timeout(900)]

REQUESTS = size(500, 10_000)
ROUNDS = size(1, 3)
CLIENTS = size(4, 8)
REQUESTS_PER_SECOND = size(60, 250)


class Node:
    """A web node that keeps its port when it restarts."""

    def __init__(self, trial: Installation) -> None:
        self._trial = trial
        self.port = trial.serve()
        self._process = trial.processes[-1]
        self.stop_seconds: list[float] = []

    def restart(self) -> None:
        """Ask it to stop, wait until it has, and start it again, as systemd does."""
        began = time.monotonic()
        self._process.terminate()
        assert self._process.wait(30) == 0
        self.stop_seconds.append(time.monotonic() - began)
        self._process = self._trial.start("web", PORT=str(self.port))
        until(lambda: is_alive(self.port), what=f"the node answers again: {self._trial.logs()[-3000:]}", seconds=90)

    def replace_processes(self) -> None:
        """Ask it to replace its web processes, and wait until the old ones have ended."""
        old = psutil.Process(self._process.pid).children()
        self._process.send_signal(signal.SIGHUP)
        until(lambda: not any(process.is_running() for process in old), what="the old processes end", seconds=60)


def migrate(trial: Installation) -> None:
    ran = trial.manage("migrate", "altered", DJANGO_SETTINGS_MODULE="tests.trials.altered.settings")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def restart_under_load(installed: Installed, folder: Path, *, without: str = "") -> tuple[Load, str]:
    """Restart both nodes so many rounds, with a migration before the first. Returns the load, and the figures."""
    nginx_program()
    with installed(WEB_WORKERS="2", without=without) as trial:
        nodes = [Node(trial), Node(trial)]
        with (
            nginx_before(folder / "nginx", [node.port for node in nodes]) as port,
            load_on(trial, port, slugs=("acme",) * CLIENTS, requests_per_second=REQUESTS_PER_SECOND) as load,
        ):
            until(lambda: len(load.acknowledged) > CLIENTS, what="the load has begun", seconds=60)
            migrate(trial)
            for node in nodes * ROUNDS:
                node.restart()
            for node in nodes:
                node.replace_processes()
            until(lambda: len(load.sent) >= REQUESTS or bool(without), what="enough requests", seconds=300)
        if not without:
            check_nothing_is_lost(trial, load)
            trial.verify_ledger()
    slowest = max(seconds for node in nodes for seconds in node.stop_seconds)
    return load, (
        f"{2 * ROUNDS} restarts, 2 reloads and a migration, {CLIENTS} clients: answers {dict(load.statuses())} of {len(load.samples)}, "
        f"the longest {load.longest():.1f} s; a node stops within {slowest:.1f} s"
    )


def test_no_request_is_lost_when_two_nodes_restart_one_after_the_other_and_a_migration_runs(
    installed: Installed, tmp_path: Path, figures: Callable[[str], None]
) -> None:
    load, text = restart_under_load(installed, tmp_path)

    figures(text)
    assert set(load.statuses()) == {200}, text
    assert len(load.samples) >= REQUESTS


def test_without_draining_requests_are_lost(
    installed: Installed, tmp_path: Path, figures: Callable[[str], None]
) -> None:
    load, text = restart_under_load(installed, tmp_path, without="draining")

    figures(text)
    assert load.statuses()[502], text
