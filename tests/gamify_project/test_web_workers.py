"""The web server with two processes on PostgreSQL: they share connections, and a waiting request holds up no other."""

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import psutil
import psycopg
import pytest

from tests.deployment import separated_database
from tests.processes import until
from tests.product import Product, running
from tests.raw_http import GAMIFY, Connection, head

pytestmark = [pytest.mark.deployment, pytest.mark.timeout(180)]

WORKERS = 2
AWARD = f"{GAMIFY}/points/award"
LOCK = "SELECT 1 FROM participants_participant WHERE external_id = 'locked' FOR UPDATE"


@pytest.fixture(scope="module")
def database() -> Iterator[Mapping[str, str]]:
    with separated_database(os.environ["DATABASE_URL"]) as urls:
        yield urls


@pytest.fixture(scope="module")
def product(database: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A request waits for a locked row for as long as these tests need."""
    settings = {
        "WEB_WORKERS": str(WORKERS),
        "WEB_THREADS": "4",
        "LOCK_TIMEOUT_SECONDS": "60",
        "STATEMENT_TIMEOUT_SECONDS": "120",
    }
    with running(tmp_path_factory.mktemp("workers"), **database, **settings) as product:
        product.wait_for("Gamify is running.")
        until(lambda: product.output.read_text().count("Booting worker") == WORKERS, what="two workers")
        yield product


def award(product: Product, participant_id: str) -> bytes:
    body = f'{{"participant_id": "{participant_id}", "amount": 1}}'.encode()
    key = f"X-API-Key: {product.keys()['quickstart']}"
    return head("POST", AWARD, key, "Content-Type: application/json", f"Content-Length: {len(body)}") + body


def connections_by_process(product: Product) -> list[int]:
    """How many connections each web process holds on the server's side."""
    counts: Counter[int] = Counter()
    for pid in product.survivors():
        for connection in psutil.Process(pid).net_connections("tcp"):
            if connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == product.port():
                counts[pid] += 1
    return sorted(counts.values())


@contextmanager
def opened(product: Product, number: int, request: bytes) -> Iterator[list[Connection]]:
    """So many connections, on each of which the request was sent."""
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(product.port())) for _ in range(number)]
        for connection in connections:
            connection.send(request)
        yield connections


@contextmanager
def locked_participant(product: Product, database: Mapping[str, str]) -> Iterator[None]:
    with opened(product, 1, award(product, "locked")) as [connection]:
        assert connection.answer().status == 200
    with psycopg.connect(database["DATABASE_OWNER_URL"]) as locking:
        locking.execute(LOCK)
        yield
        locking.rollback()


@pytest.mark.parametrize("number", [4, 40])
def test_both_processes_hold_the_same_number_of_connections(product: Product, number: int) -> None:
    """A worker that gets no processor time for a second does not count for the others (`FRESH_SECONDS`), so there are three tries."""
    assert any(are_shared_evenly(product, number) for _ in range(3))


def are_shared_evenly(product: Product, number: int) -> bool:
    until(lambda: connections_by_process(product) == [], what="no earlier connection is left")
    with opened(product, number, head("GET", "/health")) as connections:
        assert [connection.answer().status for connection in connections] == [200] * number
        held = connections_by_process(product)
    assert sum(held) == number
    return len(held) == WORKERS and max(held) - min(held) <= 1


def test_every_process_shows_what_all_processes_have_counted(product: Product) -> None:
    """Both processes get as many connections each, and one that asks for the numbers meets either of them."""
    read = head("GET", f"{GAMIFY}/participants/counted/streaks", f"X-API-Key: {product.keys()['quickstart']}")
    with opened(product, 10, read) as connections:
        assert [connection.answer().status for connection in connections] == [200] * 10

    with opened(product, 4, head("GET", "/metrics")) as readers:
        shown = [reader.answer().body.decode() for reader in readers]
    for page in shown:
        counts = [
            line for line in page.splitlines() if line.startswith("gamify_requests_total{") and "/streaks" in line
        ]
        assert [line.rpartition(" ")[2] for line in counts] == ["10.0"], counts


def test_requests_that_wait_for_a_row_hold_up_no_others(product: Product, database: Mapping[str, str]) -> None:
    """20 requests wait, which is more than the 8 that may run at the same time."""
    read = head("GET", f"{GAMIFY}/participants/free/points", f"X-API-Key: {product.keys()['quickstart']}")

    with locked_participant(product, database), opened(product, 20, award(product, "locked")):
        for request in (award(product, "free"), read, head("GET", "/health"), head("GET", "/ready")):
            with opened(product, 4, request) as others:
                assert [other.answer().status for other in others] == [200] * 4


def test_probes_are_answered_while_all_threads_wait_and_the_waiting_are_answered_afterwards(
    product: Product, database: Mapping[str, str]
) -> None:
    """Two processes with four threads, and eight more for requests that wait. 40 requests wait, so that some have no thread."""
    with ExitStack() as stack:
        with locked_participant(product, database):
            waiting = stack.enter_context(opened(product, 40, award(product, "locked")))
            for path in ("/health", "/ready"):
                with opened(product, 4, head("GET", path)) as probes:
                    assert [probe.answer().status for probe in probes] == [200] * 4

        answers = [connection.answer() for connection in waiting]

    counts = Counter(answer.status for answer in answers)
    assert set(counts) <= {200, 503}
    assert counts[200] >= 2 * 4
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status == 503)


def test_requests_that_run_when_their_process_is_asked_to_stop_are_answered(
    product: Product, database: Mapping[str, str]
) -> None:
    """SIGTERM to both workers, as from the arbiter. It starts new ones."""
    with ExitStack() as stack:
        with locked_participant(product, database):
            waiting = stack.enter_context(opened(product, 4, award(product, "locked")))
            until(lambda: len(connections_by_process(product)) == 2, what="both processes have connections")
            workers = [pid for pid in product.survivors() if is_worker(pid)]
            for pid in workers:
                psutil.Process(pid).terminate()
            time.sleep(0.5)

        answers = [connection.answer() for connection in waiting]
        assert [answer.status for answer in answers] == [200] * 4
        until(lambda: not any(map(psutil.pid_exists, workers)), what="the old workers have ended")

    assert len(workers) == 2
    assert product.health() == 200


def is_worker(pid: int) -> bool:
    command, parent = psutil.Process(pid).cmdline(), psutil.Process(pid).parent()
    return "gunicorn" in command and parent is not None and "gunicorn" in parent.cmdline()
