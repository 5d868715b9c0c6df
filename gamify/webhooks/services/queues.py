"""What a worker holds for each endpoint, and whose turn it is when a thread is free.

An endpoint that keeps us waiting must not keep the others waiting. So nobody has more than LANES threads; the last quarter of all
is for endpoints that have none yet; and those that failed lately, perhaps by not answering, have half of them at most.
"""

from collections import deque
from collections.abc import Iterator
from uuid import UUID

from gamify.webhooks.services.claiming import Capacity, ClaimedBatch, ClaimedDelivery

MAX_THREADS_PER_ENDPOINT = 4
"""Tries that one endpoint is sent at the same time, by one worker; one while it is down."""
FAST_ANSWER_MILLISECONDS = 4.0
"""Answers that come faster need no second thread: threads share one interpreter, and would only be in each other's way."""


class EndpointQueue:
    """What waits for one endpoint, first come first sent, and how many threads (`lanes`) take from it. Any thread may take."""

    def __init__(self, endpoint_id: UUID) -> None:
        self.endpoint_id = endpoint_id
        self.threads = 0
        self.is_doubtful = False
        self._most_lanes = MAX_THREADS_PER_ENDPOINT
        self._depth = 0
        self._pace = 0.0
        self._waiting: deque[ClaimedDelivery] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, hold: ClaimedBatch) -> None:
        self.is_doubtful = hold.is_doubtful
        self._most_lanes = 1 if hold.is_down else MAX_THREADS_PER_ENDPOINT
        self._waiting.extend(hold.deliveries)
        self._depth = len(self._waiting)

    def take(self) -> ClaimedDelivery | None:
        try:
            return self._waiting.popleft()
        except IndexError:  # another thread was faster
            return None

    def drain(self) -> Iterator[ClaimedDelivery]:
        while (claim := self.take()) is not None:
            yield claim

    def note_duration(self, milliseconds: float) -> None:
        """How long an answer took. The last ones count; one alone may have waited for other threads of ours."""
        self._pace += (milliseconds - self._pace) / 8

    @property
    def wants_thread(self) -> bool:
        """The first answer shows whether there is anybody: until then one thread is enough to wait for it."""
        most = self._most_lanes if self._pace >= FAST_ANSWER_MILLISECONDS else 1
        return self.threads < min(most, len(self._waiting))

    @property
    def is_half_sent(self) -> bool:
        """Just now: time to claim more, so that its lanes need not stop."""
        return len(self._waiting) == self._depth // 2


class EndpointQueues:
    """Of one worker. For the thread that runs it alone; of a line, the others only take."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lines: dict[UUID, EndpointQueue] = {}

    def __iter__(self) -> Iterator[EndpointQueue]:
        return iter(list(self._lines.values()))

    @property
    def busy_threads(self) -> int:
        """Threads that are busy."""
        return sum(line.threads for line in self)

    @property
    def is_busy(self) -> bool:
        return any(line.threads or len(line) for line in self)

    def capacity(self) -> Capacity:
        for line in self:
            if not line.threads and not len(line):
                del self._lines[line.endpoint_id]
        free = self._threads - self.busy_threads
        return Capacity(
            free, min(free, self._free_for_doubtful()), {line.endpoint_id: len(line) + line.threads for line in self}
        )

    def _free_for_doubtful(self) -> int:
        return self._threads // 2 - sum(line.threads for line in self if line.is_doubtful)

    def add(self, hold: ClaimedBatch) -> None:
        self._lines.setdefault(hold.endpoint_id, EndpointQueue(hold.endpoint_id)).add(hold)

    def assign_thread(self) -> EndpointQueue | None:
        """Whom the next free thread is for: who has fewest, and works. None where none is free, or nothing waits."""
        for line in sorted(self, key=lambda line: (line.threads, line.is_doubtful)):
            if line.wants_thread and self._has_thread_for(line):
                line.threads += 1
                return line
        return None

    def _has_thread_for(self, line: EndpointQueue) -> bool:
        kept_free = self._threads // 4 if line.threads else 0
        if line.is_doubtful and self._free_for_doubtful() <= 0:
            return False
        return self._threads - self.busy_threads > kept_free
