"""The deliveries that a worker holds for each endpoint, and which endpoint the next free thread serves.

A slow endpoint must not delay the others. So no endpoint has more than MAX_THREADS_PER_ENDPOINT threads, the last quarter of all
threads is for endpoints that have none yet, and doubtful endpoints (which failed lately, perhaps by a timeout) share at most half.
"""

from collections import deque
from collections.abc import Iterator
from uuid import UUID

from gamify.webhooks.services.claiming import Capacity, ClaimedBatch, ClaimedDelivery

MAX_THREADS_PER_ENDPOINT = 4
"""Threads that one worker uses for one endpoint at the same time; one if it is down."""
FAST_ANSWER_MILLISECONDS = 4.0
"""Faster answers need no second thread: threads share one interpreter, and a second one would only slow the first."""


class EndpointQueue:
    """The waiting deliveries of one endpoint, first in, first out, and how many `threads` send them. Any thread may call `take`."""

    def __init__(self, endpoint_id: UUID) -> None:
        self.endpoint_id = endpoint_id
        self.threads = 0
        self.is_doubtful = False
        self._max_threads = MAX_THREADS_PER_ENDPOINT
        self._size_when_claimed = 0
        self._average_milliseconds = 0.0
        self._waiting: deque[ClaimedDelivery] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, batch: ClaimedBatch) -> None:
        self.is_doubtful = batch.is_doubtful
        self._max_threads = 1 if batch.is_down else MAX_THREADS_PER_ENDPOINT
        self._waiting.extend(batch.deliveries)
        self._size_when_claimed = len(self._waiting)

    def take(self) -> ClaimedDelivery | None:
        try:
            return self._waiting.popleft()
        except IndexError:  # another thread was faster
            return None

    def drain(self) -> Iterator[ClaimedDelivery]:
        while (delivery := self.take()) is not None:
            yield delivery

    def note_duration(self, milliseconds: float) -> None:
        """Update the moving average of answer times. A single answer may be slow because of other threads of this process."""
        self._average_milliseconds += (milliseconds - self._average_milliseconds) / 8

    @property
    def wants_thread(self) -> bool:
        """Whether another thread would help. Until the first answer, one thread is enough."""
        limit = self._max_threads if self._average_milliseconds >= FAST_ANSWER_MILLISECONDS else 1
        return self.threads < min(limit, len(self._waiting))

    @property
    def is_half_sent(self) -> bool:
        """Whether exactly half is sent: time to claim more, so that its threads need not pause."""
        return len(self._waiting) == self._size_when_claimed // 2


class EndpointQueues:
    """All queues of one worker. Only the thread that runs the worker may use it; other threads only call `EndpointQueue.take`."""

    def __init__(self, threads: int) -> None:
        self._thread_count = threads
        self._queues: dict[UUID, EndpointQueue] = {}

    def __iter__(self) -> Iterator[EndpointQueue]:
        return iter(list(self._queues.values()))

    @property
    def busy_threads(self) -> int:
        """Threads that are sending."""
        return sum(queue.threads for queue in self)

    @property
    def is_busy(self) -> bool:
        return any(queue.threads or len(queue) for queue in self)

    def capacity(self) -> Capacity:
        for queue in self:
            if not queue.threads and not len(queue):
                del self._queues[queue.endpoint_id]
        free = self._thread_count - self.busy_threads
        return Capacity(
            free,
            min(free, self._free_for_doubtful()),
            {queue.endpoint_id: len(queue) + queue.threads for queue in self},
        )

    def _free_for_doubtful(self) -> int:
        return self._thread_count // 2 - sum(queue.threads for queue in self if queue.is_doubtful)

    def add(self, batch: ClaimedBatch) -> None:
        self._queues.setdefault(batch.endpoint_id, EndpointQueue(batch.endpoint_id)).add(batch)

    def assign_thread(self) -> EndpointQueue | None:
        """Return the queue that the next free thread serves: the one with the fewest threads, doubtful ones last.

        None if no thread is free or no queue needs one.
        """
        for queue in sorted(self, key=lambda queue: (queue.threads, queue.is_doubtful)):
            if queue.wants_thread and self._has_thread_for(queue):
                queue.threads += 1
                return queue
        return None

    def _has_thread_for(self, queue: EndpointQueue) -> bool:
        reserved = self._thread_count // 4 if queue.threads else 0
        if queue.is_doubtful and self._free_for_doubtful() <= 0:
            return False
        return self._thread_count - self.busy_threads > reserved
