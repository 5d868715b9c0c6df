import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection, Queue
from kombu.exceptions import ChannelError

from gamify_project.process.broker.transport import Transport

PRODUCERS = 4
CONSUMERS = 2
MESSAGES_EACH = 1_000
SPAWN = multiprocessing.get_context("spawn")
QUEUE = Queue("default", exchange="default", routing_key="default")


def connect(folder: Path) -> Connection:
    return Connection(transport=Transport, transport_options={"folder": str(folder)})


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with connect(tmp_path) as connection:
        yield connection


def publish(connection: Connection, *bodies: object, queue: Queue = QUEUE) -> None:
    with connection.Producer() as producer:
        for body in bodies:
            producer.publish(body, exchange=queue.exchange, routing_key=queue.routing_key, declare=[queue])


def take(connection: Connection, *, queue: Queue = QUEUE) -> object:
    """Receive and acknowledge one message."""
    message = connection.SimpleQueue(queue).get(timeout=5)
    message.ack()
    return message.payload


def produce(folder: Path, first: int) -> None:
    with connect(folder) as connection:
        publish(connection, *range(first, first + MESSAGES_EACH))


def consume(folder: Path, received: Path) -> None:
    """Record every message until none arrives for two seconds."""
    with connect(folder) as connection, received.open("w") as file:
        queue = connection.SimpleQueue(QUEUE)
        try:
            while True:
                message = queue.get(timeout=2)
                file.write(f"{message.payload}\n")
                message.ack()
        except Empty:
            pass


def hold(folder: Path, count: int, ready: Path) -> None:
    """Claim some messages and never finish them."""
    connection = connect(folder)
    queue = connection.SimpleQueue(QUEUE)
    held = [queue.get(timeout=5) for _ in range(count)]
    ready.write_text(str([message.payload for message in held]))
    time.sleep(60)


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 30
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)
    return path.read_text()


def test_several_producers_and_consumers_lose_nothing_and_deliver_nothing_twice(tmp_path: Path) -> None:
    broker = tmp_path / "broker"
    logs = [tmp_path / f"consumer-{number}" for number in range(CONSUMERS)]
    jobs = [SPAWN.Process(target=produce, args=(broker, n * MESSAGES_EACH)) for n in range(PRODUCERS)]
    jobs += [SPAWN.Process(target=consume, args=(broker, log)) for log in logs]

    for job in jobs:
        job.start()
    for job in jobs:
        job.join(100)

    assert [job.exitcode for job in jobs] == [0] * len(jobs)
    received = sorted(int(line) for log in logs for line in log.read_text().split())
    assert received == list(range(PRODUCERS * MESSAGES_EACH))
    assert not [path for path in broker.rglob("*") if path.is_file()]


def test_a_queue_is_first_in_first_out(connection: Connection) -> None:
    publish(connection, *range(50))

    assert [take(connection) for _ in range(50)] == list(range(50))


def test_queues_do_not_mix(connection: Connection) -> None:
    sweeps = Queue("sweeps", exchange="sweeps", routing_key="sweeps")
    publish(connection, "a sweep", queue=sweeps)
    publish(connection, "a wake-up")

    assert take(connection) == "a wake-up"
    assert take(connection, queue=sweeps) == "a sweep"


@pytest.mark.parametrize("content", [b"", b'{"body": "eyJ', b"\xff\xfe", b"[]", b"{}", b'{"properties": null}'])
def test_an_unreadable_file_is_moved_away_and_the_next_message_is_delivered(
    connection: Connection, tmp_path: Path, content: bytes
) -> None:
    publish(connection, "after the rubbish")
    (tmp_path / "queues" / "default" / "0-rubbish.msg").write_bytes(content)

    assert take(connection) == "after the rubbish"
    assert (tmp_path / "unreadable" / "default-0-rubbish.msg").read_bytes() == content


def test_a_message_that_is_still_being_written_is_left_alone(connection: Connection, tmp_path: Path) -> None:
    publish(connection, "whole")
    half_written = tmp_path / "queues" / "default" / ".0-half.msg"
    half_written.write_text('{"bo')

    assert take(connection) == "whole"
    assert half_written.exists()


def test_a_half_written_message_of_a_dead_producer_is_deleted(connection: Connection, tmp_path: Path) -> None:
    publish(connection, "whole")
    half_written = tmp_path / "queues" / "default" / ".0-half.msg"
    half_written.write_text('{"bo')
    os.utime(half_written, (0, 0))

    assert take(connection) == "whole"
    assert not half_written.exists()


def test_a_rejected_message_returns_to_the_front_of_its_queue(connection: Connection) -> None:
    publish(connection, "first", "second", "third")
    queue = connection.SimpleQueue(QUEUE)

    queue.get(timeout=5).requeue()

    assert [take(connection) for _ in range(3)] == ["first", "second", "third"]


def test_a_discarded_message_is_gone(connection: Connection, tmp_path: Path) -> None:
    publish(connection, "unwanted")

    connection.SimpleQueue(QUEUE).get(timeout=5).reject()

    assert not list(tmp_path.rglob("*.msg"))


def test_a_worker_that_stops_returns_unfinished_messages(tmp_path: Path) -> None:
    with connect(tmp_path) as stopping:
        publish(stopping, "first", "second")
        stopping.SimpleQueue(QUEUE).get(timeout=5)

    with connect(tmp_path) as next_one:
        assert [take(next_one), take(next_one)] == ["first", "second"]


def test_messages_claimed_by_a_killed_worker_return_in_order(tmp_path: Path) -> None:
    broker, ready = tmp_path / "broker", tmp_path / "ready"
    with connect(broker) as connection:
        publish(connection, 1, 2, 3, 4)
    worker = SPAWN.Process(target=hold, args=(broker, 2, ready))
    worker.start()
    assert wait_for(ready) == "[1, 2]"

    os.kill(worker.pid, signal.SIGKILL)
    worker.join(10)

    with connect(broker) as connection:
        assert [take(connection) for _ in range(4)] == [1, 2, 3, 4]


def test_messages_claimed_by_a_living_worker_are_not_returned(tmp_path: Path) -> None:
    with connect(tmp_path) as busy, connect(tmp_path) as other:
        publish(busy, "first", "second")
        held = busy.SimpleQueue(QUEUE).get(timeout=5)

        assert take(other) == "second"
        held.ack()

    assert not list(tmp_path.rglob("*.msg"))


def test_purging_counts_and_empties(connection: Connection) -> None:
    publish(connection, 1, 2, 3)

    queue = QUEUE(connection.default_channel)

    assert queue.purge() == 3
    assert queue.get() is None


@pytest.mark.parametrize("name", ["../elsewhere", "", ".hidden", "a/b"])
def test_a_queue_name_cannot_leave_the_folder(connection: Connection, name: str) -> None:
    with pytest.raises(ChannelError):
        connection.default_channel._folder(name)
