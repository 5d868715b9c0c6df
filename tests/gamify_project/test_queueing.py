"""Which requests of a web process may run, and which wait."""

from types import SimpleNamespace

import pytest

from gamify_project.process.web.queueing import QUEUE_SECONDS, Queue


def channel(path="/api/v1/gamify/points/award", command="POST"):
    return SimpleNamespace(requests=[SimpleNamespace(path=path, command=command)], queued_at=0.0)


def queue(*, threads=4, waiting=2, waiters=0):
    return Queue(threads=threads, waiting=waiting, waiters=lambda: waiters)


@pytest.mark.parametrize(
    ("path", "command", "limit"),
    [("/x", "POST", 4), ("/x", "GET", 6), ("/x", "HEAD", 6), ("/ready", "GET", 7), ("/health", "GET", 8)],
)
def test_reads_and_probes_have_a_reserve(path, command, limit):
    [request] = channel(path, command).requests

    assert queue().has_room(request, running=limit - 1)
    assert not queue().has_room(request, running=limit)


@pytest.mark.parametrize(("waiters", "limit"), [(0, 4), (1, 5), (2, 6), (3, 6)])
def test_requests_that_wait_for_postgresql_do_not_count_up_to_a_limit(waiters, limit):
    [request] = channel().requests

    assert queue(waiters=waiters).has_room(request, running=limit - 1)
    assert not queue(waiters=waiters).has_room(request, running=limit)


def test_a_probe_is_next_then_a_read_then_the_oldest_write():
    waiting = queue()
    writes, read, probe = [channel(), channel()], channel(command="GET"), channel("/health", "GET")
    for each in (*writes, read, probe):
        waiting.add(each)

    assert [waiting.next(running=3) for _ in range(5)] == [probe, read, *writes, None]


def test_a_write_that_finds_no_room_does_not_hold_up_a_read():
    waiting = queue()
    write, read = channel(), channel(command="GET")
    for each in (write, read):
        waiting.add(each)

    assert [waiting.next(running=4) for _ in range(2)] == [read, None]


def test_what_has_waited_for_too_long_is_taken_out():
    waiting = queue()
    early, late = channel(), channel()
    for each in (early, late):
        waiting.add(each)
    late.queued_at = early.queued_at + 1

    assert list(waiting.late(now=early.queued_at + QUEUE_SECONDS)) == [early]
    assert waiting.next(running=0) is late
