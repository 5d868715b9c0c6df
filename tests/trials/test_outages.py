"""Outages: PostgreSQL restarts, crashes, is full, and the way to it is slow or cut. No acknowledged write is lost."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from tests.booting import OwnPostgres, own_postgres
from tests.processes import until
from tests.trials.conftest import Installed
from tests.trials.installation import Installation
from tests.trials.load import Load, check_nothing_is_lost, load_on, repeat_unacknowledged
from tests.trials.proxy import GOOD, REFUSING, SLOW, Proxy, proxied
from tests.trials.reporting import IS_FULL, size
from tests.trials.small_disk import on_small_disk

pytestmark = [
    pytest.mark.deployment,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not IS_FULL, reason="its outages need a machine that does nothing else: make trials"),
]

RESTARTS = size(1, 3)
FAULT_SECONDS = size(0.5, 5.0)
ANSWER_SECONDS = size(20.0, 5.0)
RECOVERY_SECONDS = size(30.0, 5.0)
DISK_MEBIBYTES = 160
DURABLE = {"fsync": "off"}  # only a power cut needs it
FORGETFUL = {**DURABLE, "synchronous_commit": "off", "wal_writer_delay": "10s"}


class Database:
    """A PostgreSQL that is stopped and started again."""

    def __init__(self, prepared: OwnPostgres) -> None:
        self._prepared = prepared
        self._running = ExitStack()

    def start(self, *, stop_signal: int, command: Sequence[str] = ()) -> None:
        self._running.enter_context(self._prepared.running(stop_signal=stop_signal, command=command))

    def stop(self) -> None:
        self._running.close()


@contextmanager
def database(options: Mapping[str, str], *, stop_signal: int) -> Iterator[tuple[Database, str]]:
    """A running PostgreSQL with these settings, and its address."""
    with own_postgres(options=options) as prepared:
        server = Database(prepared)
        server.start(stop_signal=stop_signal)
        try:
            yield server, prepared.url
        finally:
            server.stop()


def through(url: str, port: int) -> str:
    """The same database, through the proxy at `port`."""
    address, _, name = url.rpartition("/")
    return f"{address.rpartition(':')[0]}:{port}/{name}"


def test_no_acknowledged_write_is_lost_when_postgres_restarts_and_connections_are_slow_cut_or_half_closed(
    installed: Installed, figures: Callable[[str], None]
) -> None:
    with (
        database(DURABLE, stop_signal=signal.SIGQUIT) as (server, url),
        proxied(int(url.rpartition("/")[0].rpartition(":")[2])) as proxy,
        installed(server=url, WEB_WORKERS="2") as trial,
    ):
        port = trial.serve(DATABASE_URL=through(trial.database, proxy.port))
        with load_on(trial, port, patience_seconds=ANSWER_SECONDS) as load:
            for number in range(RESTARTS):
                restart(server, stop_signal=[signal.SIGINT, signal.SIGQUIT][number % 2])
                until_it_writes(load)
            for misbehave in (proxy.cut, proxy.half_close, lambda: slow(proxy), lambda: refuse(proxy)):
                misbehave()
                until_it_writes(load)
        check(trial, load)
        trial.verify_ledger()

    assert set(load.statuses()) <= {200, 503}, load.statuses()
    figures(f"{RESTARTS} restarts, then cut, half-closed, slow and refused: {report(load)}")


def test_without_synchronous_commit_acknowledged_writes_are_lost(installed: Installed) -> None:
    with (
        database(FORGETFUL, stop_signal=signal.SIGQUIT) as (server, url),
        installed(server=url, WEB_WORKERS="2") as trial,
    ):
        port = trial.serve()
        with load_on(trial, port) as load:
            until(lambda: len(load.acknowledged) > 50, what="writes", seconds=60)
            restart(server, stop_signal=signal.SIGQUIT)

        with pytest.raises(AssertionError, match="acknowledged writes were lost"):
            check_nothing_is_lost(trial, load)


def test_a_full_disk_refuses_writes_and_loses_none(installed: Installed, figures: Callable[[str], None]) -> None:
    with own_postgres(options=DURABLE) as prepared, ExitStack() as stack:
        stack.enter_context(prepared.running(command=on_small_disk(prepared, mebibytes=DISK_MEBIBYTES)))
        trial = stack.enter_context(installed(server=prepared.url, WEB_WORKERS="2"))
        port = trial.serve()
        with load_on(trial, port, patience_seconds=ANSWER_SECONDS) as load:
            until(lambda: len(load.acknowledged) > 50, what="writes", seconds=60)
            fill_disk(trial)
            until(lambda: load.statuses()[503] > 20, what="writes are refused", seconds=60)
            trial.execute(f"COPY (SELECT 1) TO '{ballast(trial)}'")
            until_it_writes(load)
        check(trial, load)
        trial.verify_ledger()

    assert set(load.statuses()) <= {200, 503}, load.statuses()
    figures(f"a disk of {DISK_MEBIBYTES} MiB is full: {report(load)}")


def restart(server: Database, *, stop_signal: int) -> None:
    """Stop PostgreSQL as it was started to be stopped, and start it again."""
    server.stop()
    time.sleep(FAULT_SECONDS)
    server.start(stop_signal=stop_signal)


def slow(proxy: Proxy) -> None:
    behave(proxy, SLOW)


def refuse(proxy: Proxy) -> None:
    proxy.cut()
    behave(proxy, REFUSING)


def behave(proxy: Proxy, behaviour: str) -> None:
    proxy.behaviour = behaviour
    time.sleep(FAULT_SECONDS)
    proxy.behaviour = GOOD


def fill_disk(trial: Installation) -> None:
    """Write a file on PostgreSQL's disk until there is no space."""
    with pytest.raises(psycopg.errors.DiskFull):
        trial.execute(f"COPY (SELECT repeat('x', 100000) FROM generate_series(1, 10000)) TO '{ballast(trial)}'")


def ballast(trial: Installation) -> str:
    """A file on PostgreSQL's disk."""
    [(folder,)] = trial.rows("SHOW data_directory")
    return f"{folder}/ballast"


def until_it_writes(load: Load) -> None:
    """Wait until writes succeed again by themselves."""
    since = time.monotonic()
    recovered = lambda: any(sample.status == 200 and sample.at > since for sample in load.samples[-50:])  # noqa: E731
    until(recovered, what=f"writes succeed again: {load.samples[-5:]}", seconds=RECOVERY_SECONDS)


def check(trial: Installation, load: Load) -> None:
    assert load.out_of_shape == []
    assert 0 not in load.statuses(), f"no answer within {ANSWER_SECONDS} s: {load.statuses()}"
    check_nothing_is_lost(trial, load)
    repeat_unacknowledged(load)
    check_nothing_is_lost(trial, load)


def report(load: Load) -> str:
    return f"answers {dict(load.statuses())}, the longest {load.longest():.1f} s, 0 of {len(load.acknowledged)} lost"
