"""Soak: steady load of several tenants for ten minutes, with a fault every 30 seconds."""

import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import psutil
import pytest

from tests.processes import processes_marked
from tests.trials.conftest import Installed
from tests.trials.installation import CREATE_TENANTS, Installation
from tests.trials.load import Load, Sample, check_nothing_is_lost, load_on, repeat_unacknowledged
from tests.trials.proxy import Proxy, proxied
from tests.trials.reporting import IS_FULL, size
from tests.trials.test_outages import DURABLE, Database, database, restart, through

pytestmark = [
    pytest.mark.deployment,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not IS_FULL, reason="its faults need a machine that does nothing else: make trials"),
]

SECONDS = size(16, 600)
FAULT_EVERY_SECONDS = size(8, 30)
FAULT_WINDOW_SECONDS = 5.0
TENANTS = size(3, 10)
REQUESTS_PER_SECOND = size(20, 100)
SERVED = 0.995
MEMORY_GROWTH = 1.25
MEBIBYTE = 1024 * 1024


@dataclass
class Soak:
    """What happened: when there were faults (monotonic seconds), and the memory of all processes, in the middle and at the end."""

    faults: list[tuple[str, float]] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)

    def share_served(self, samples: Sequence[Sample]) -> float:
        """The share of requests that were served, of those that began outside of all fault windows."""
        outside = [sample for sample in samples if not self._is_in_window(sample)]
        return sum(sample.status == 200 for sample in outside) / len(outside)

    def _is_in_window(self, sample: Sample) -> bool:
        return any(
            at - 1 <= sample.at + sample.seconds and sample.at <= at + FAULT_WINDOW_SECONDS for _, at in self.faults
        )


def test_faults_break_no_invariant_and_requests_between_them_are_served(
    installed: Installed, chance: random.Random, figures: Callable[[str], None]
) -> None:
    with soaked(installed) as (trial, server, proxy):
        soak, load = run(trial, server, proxy, chance)
        check_nothing_is_lost(trial, load)
        trial.verify_ledger()

    served = soak.share_served(load.samples)
    assert served >= SERVED, f"{served:.2%} served, {load.statuses()}"
    assert soak.memory[-1] <= MEMORY_GROWTH * soak.memory[len(soak.memory) // 2], soak.memory
    memory = " → ".join(f"{soak.memory[part] // MEBIBYTE} MiB" for part in (len(soak.memory) // 2, -1))
    figures(
        f"{SECONDS} s, {len(load.samples)} requests of {TENANTS} tenants, faults {[name for name, _ in soak.faults]}: "
        f"{served:.2%} served outside of them, {dict(load.statuses())}, memory {memory}"
    )


def test_without_stored_answers_a_soak_applies_a_write_twice(installed: Installed, chance: random.Random) -> None:
    with soaked(installed, without="stored_answers") as (trial, server, proxy):
        _, load = run(trial, server, proxy, chance)

        with pytest.raises(AssertionError, match="applied twice"):
            check_nothing_is_lost(trial, load)


@contextlib.contextmanager
def soaked(installed: Installed, **more: str) -> Iterator[tuple[Installation, Database, Proxy]]:
    with (
        database(DURABLE, stop_signal=signal.SIGINT) as (server, url),
        proxied(int(url.rpartition("/")[0].rpartition(":")[2])) as proxy,
        installed(server=url, WEB_WORKERS="2", SWEEP_SECONDS="5", **more) as trial,
    ):
        yield trial, server, proxy


def run(trial: Installation, server: Database, proxy: Proxy, chance: random.Random) -> tuple[Soak, Load]:
    """Load the installation with faults. At the end everything that was not acknowledged is sent again."""
    names = [f"soaked-{number}" for number in range(TENANTS)]
    created = trial.manage("shell", "--no-imports", "-c", CREATE_TENANTS.format(slugs=names))
    trial.keys = dict(zip(names, created.stdout.split(), strict=True))
    address = through(trial.database, proxy.port)
    port = trial.serve(DATABASE_URL=address)
    background = {name: trial.start(name, DATABASE_URL=address) for name in ("worker", "deliveries", "beat")}
    soak = Soak()
    with load_on(trial, port, slugs=names, requests_per_second=REQUESTS_PER_SECOND, repeats=0.1) as load:
        ends_at = time.monotonic() + SECONDS
        while time.monotonic() < ends_at:
            time.sleep(FAULT_EVERY_SECONDS)
            soak.memory.append(memory_of(trial))
            name = chance.choice(["web", "worker", "deliveries", "cut", "restart"])
            soak.faults.append((name, time.monotonic()))
            if name in background:
                kill(background[name].pid)
                background[name] = trial.start(name, DATABASE_URL=address)
            elif name == "web":
                kill(chance.choice(psutil.Process(trial.processes[0].pid).children()).pid)
            else:
                proxy.cut()
                if name == "restart":
                    restart(server, stop_signal=signal.SIGINT)
                soak.faults.append((f"end of {name}", time.monotonic()))
    repeat_unacknowledged(load)
    return soak, load


def kill(pid: int) -> None:
    for each in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def memory_of(trial: Installation) -> int:
    """Resident bytes of the largest process."""
    sizes = []
    for pid in processes_marked(str(trial.deployment.folder)):
        with contextlib.suppress(psutil.NoSuchProcess):
            sizes.append(psutil.Process(pid).memory_info().rss)
    return max(sizes)
