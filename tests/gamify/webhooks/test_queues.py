"""Whose turn it is when a thread is free. No database."""

from uuid import UUID, uuid4

import pytest

from gamify.webhooks.services.claiming import ClaimedBatch, ClaimedDelivery
from gamify.webhooks.services.queues import MAX_THREADS_PER_ENDPOINT, EndpointQueues
from gamify.webhooks.services.sending import Post

pytestmark = pytest.mark.engine

THREADS = 16
POST = Post("https://shop.example/", "m1", 1, b"{}", ["whsec_"])


def a_hold(number: int = 50, *, is_doubtful: bool = False, is_down: bool = False) -> ClaimedBatch:
    endpoint, lease = uuid4(), uuid4()
    return ClaimedBatch(
        endpoint, is_doubtful, is_down, [ClaimedDelivery(uuid4(), uuid4(), endpoint, lease, 0.0, POST)] * number
    )


def lines_of(*holds: ClaimedBatch, milliseconds: float = 100.0) -> EndpointQueues:
    """All have answered in that time before."""
    lines = EndpointQueues(THREADS)
    for hold in holds:
        lines.add(hold)
    for line in lines:
        line.note_duration(milliseconds)
    return lines


def begun(lines: EndpointQueues) -> dict[UUID, int]:
    while lines.assign_thread() is not None:
        pass
    return {line.endpoint_id: line.threads for line in lines}


def test_an_endpoint_has_no_more_threads_than_lanes():
    hold = a_hold()

    assert begun(lines_of(hold)) == {hold.endpoint_id: MAX_THREADS_PER_ENDPOINT}


def test_nor_more_than_there_is_to_send():
    hold = a_hold(2)

    assert begun(lines_of(hold)) == {hold.endpoint_id: 2}


@pytest.mark.parametrize(("milliseconds", "lanes"), [(0.0, 1), (1.0, 1), (100.0, MAX_THREADS_PER_ENDPOINT)])
def test_who_answers_at_once_or_has_not_answered_yet_needs_one(milliseconds, lanes):
    hold = a_hold()

    assert begun(lines_of(hold, milliseconds=milliseconds)) == {hold.endpoint_id: lanes}


def test_who_is_down_has_one():
    hold = a_hold(is_doubtful=True, is_down=True)

    assert begun(lines_of(hold)) == {hold.endpoint_id: 1}


def test_doubtful_ones_have_half_of_the_threads_together():
    lanes = begun(lines_of(*(a_hold(is_doubtful=True) for _ in range(20))))

    assert sum(lanes.values()) == THREADS // 2


def test_the_last_quarter_is_for_who_has_none():
    first = [a_hold() for _ in range(4)]
    lines = lines_of(*first)
    assert sum(begun(lines).values()) == THREADS * 3 // 4

    late = a_hold()
    lines.add(late)

    assert begun(lines)[late.endpoint_id] == 1


def test_who_works_comes_before_who_is_doubtful():
    doubtful = [a_hold(is_doubtful=True) for _ in range(THREADS)]
    working = [a_hold() for _ in range(THREADS)]

    lanes = begun(lines_of(*doubtful, *working))

    assert {pk for pk, number in lanes.items() if number} == {hold.endpoint_id for hold in working}
