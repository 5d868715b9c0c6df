"""Which requests may run, and those that wait until they may."""

import time
from collections import deque
from collections.abc import Callable, Iterator

from gamify_project.process.web.channels import Channel
from gamify_project.process.web.requests import Request

QUEUE_SECONDS = 4.0
"""How long a request may wait for a thread."""
READS = 2
RESERVES = {"/ready": 3, "/health": 4}
"""Threads beyond the limit: reads may use READS of them, and these paths more. `/health` never waits for anything."""
LEVELS = (4, 3, READS, 0)


class Queue:
    """Requests that found no thread.

    - `threads`: how many requests may run at the same time.
    - `waiting`: how many further ones may run while as many wait for PostgreSQL. `waiters` tells how many do.
    """

    def __init__(self, *, threads: int, waiting: int, waiters: Callable[[], int]) -> None:
        self._threads = threads
        self._max_waiting = waiting
        self._waiters = waiters
        self._queues: dict[int, deque[Channel]] = {level: deque() for level in LEVELS}

    @property
    def max_threads(self) -> int:
        return self._threads + self._max_waiting + max(LEVELS)

    def has_room(self, request: Request, *, running: int) -> bool:
        return self._has_room(_level_of(request), running)

    def add(self, channel: Channel) -> None:
        channel.queued_at = time.monotonic()
        self._queues[_level_of(channel.requests[0])].append(channel)

    def next(self, *, running: int) -> Channel | None:
        """Remove and return the next connection whose request may run."""
        for level, queue in self._queues.items():
            if queue and self._has_room(level, running):
                return queue.popleft()
        return None

    def late(self, *, now: float) -> Iterator[Channel]:
        """Remove and yield connections whose request has waited for QUEUE_SECONDS."""
        for queue in self._queues.values():
            while queue and now - queue[0].queued_at >= QUEUE_SECONDS:
                yield queue.popleft()

    def _has_room(self, level: int, running: int) -> bool:
        return running - min(self._waiters(), self._max_waiting) < self._threads + level


def _level_of(request: Request) -> int:
    """Return how many threads beyond the limit the request may use."""
    return RESERVES.get(request.path, READS if request.command in {"GET", "HEAD"} else 0)
