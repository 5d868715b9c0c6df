"""Which endpoint the next free thread serves. No database."""

from uuid import UUID, uuid4

import pytest

from gamify.webhooks.services.claiming import ClaimedBatch, ClaimedDelivery
from gamify.webhooks.services.queues import MAX_THREADS_PER_ENDPOINT, EndpointQueues
from gamify.webhooks.services.sending import Post

pytestmark = pytest.mark.engine

THREADS = 16
POST = Post("https://shop.example/", "m1", 1, b"{}", ["whsec_"])


def a_batch(number: int = 50, *, is_doubtful: bool = False, is_down: bool = False) -> ClaimedBatch:
    endpoint, lease = uuid4(), uuid4()
    return ClaimedBatch(
        endpoint, is_doubtful, is_down, [ClaimedDelivery(uuid4(), uuid4(), endpoint, lease, 0.0, POST)] * number
    )


def queues_of(*batches: ClaimedBatch, milliseconds: float = 100.0) -> EndpointQueues:
    """Queues whose endpoints have answered in `milliseconds` before."""
    queues = EndpointQueues(THREADS)
    for batch in batches:
        queues.add(batch)
    for queue in queues:
        queue.note_duration(milliseconds)
    return queues


def threads_by_endpoint(queues: EndpointQueues) -> dict[UUID, int]:
    while queues.assign_thread() is not None:
        pass
    return {queue.endpoint_id: queue.threads for queue in queues}


def test_an_endpoint_has_at_most_the_maximum_number_of_threads():
    batch = a_batch()

    assert threads_by_endpoint(queues_of(batch)) == {batch.endpoint_id: MAX_THREADS_PER_ENDPOINT}


def test_an_endpoint_has_no_more_threads_than_deliveries():
    batch = a_batch(2)

    assert threads_by_endpoint(queues_of(batch)) == {batch.endpoint_id: 2}


@pytest.mark.parametrize(("milliseconds", "lanes"), [(0.0, 1), (1.0, 1), (100.0, MAX_THREADS_PER_ENDPOINT)])
def test_an_endpoint_that_answers_fast_or_has_not_answered_yet_has_one_thread(milliseconds, lanes):
    batch = a_batch()

    assert threads_by_endpoint(queues_of(batch, milliseconds=milliseconds)) == {batch.endpoint_id: lanes}


def test_an_endpoint_that_is_down_has_one_thread():
    batch = a_batch(is_doubtful=True, is_down=True)

    assert threads_by_endpoint(queues_of(batch)) == {batch.endpoint_id: 1}


def test_doubtful_endpoints_share_half_of_the_threads():
    lanes = threads_by_endpoint(queues_of(*(a_batch(is_doubtful=True) for _ in range(20))))

    assert sum(lanes.values()) == THREADS // 2


def test_the_last_quarter_of_the_threads_is_for_endpoints_without_one():
    first = [a_batch() for _ in range(4)]
    queues = queues_of(*first)
    assert sum(threads_by_endpoint(queues).values()) == THREADS * 3 // 4

    late = a_batch()
    queues.add(late)

    assert threads_by_endpoint(queues)[late.endpoint_id] == 1


def test_working_endpoints_come_before_doubtful_ones():
    doubtful = [a_batch(is_doubtful=True) for _ in range(THREADS)]
    working = [a_batch() for _ in range(THREADS)]

    lanes = threads_by_endpoint(queues_of(*doubtful, *working))

    assert {pk for pk, number in lanes.items() if number} == {batch.endpoint_id for batch in working}
