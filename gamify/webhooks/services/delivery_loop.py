"""The delivery loop of a worker: it claims deliveries, lets threads send them, and records the results, until none is due.

Sending threads use HTTP and no database; the loop's thread uses the database and no HTTP. A process runs at most one loop. A call
while it runs makes it check again.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from django.conf import settings
from django.utils import timezone

from gamify.webhooks.services.claiming import ClaimedDelivery, claim_due
from gamify.webhooks.services.queues import EndpointQueue, EndpointQueues
from gamify.webhooks.services.recording import ClaimResult, record
from gamify.webhooks.services.sending import send
from gamify.webhooks.services.sequencing import CHUNK, assign_all_positions
from gamify.webhooks.services.waking import LINGER_SECONDS, wake_up_sender

TURN_SECONDS = 240.0
"""A loop ends after this time and another one starts, so that none is killed by the time limit of tasks."""
CHECK_SECONDS = 0.5
GATHER_SECONDS = 0.05
"""Results are collected for this time and recorded together."""
THREAD_TURN_SECONDS = 0.5
"""After this time a thread may serve another endpoint."""


@dataclass(frozen=True)
class ThreadEnded:
    queue: EndpointQueue


Message = ClaimResult | ThreadEnded | None
"""What threads send to the loop. None means: check again for due deliveries."""


class DeliveryLoop:
    """One run of the loop. Any thread may call `nudge` and `stop`; only the thread that runs the loop may call the rest."""

    def __init__(self) -> None:
        self._messages: SimpleQueue[Message] = SimpleQueue()
        self._queues = EndpointQueues(settings.WEBHOOK_THREADS)
        self._threads = ThreadPoolExecutor(settings.WEBHOOK_THREADS, thread_name_prefix="webhook")
        self._should_check = True
        self._lingers_until = 0.0
        self.is_nudged = True
        self.is_stopping = False

    def nudge(self) -> None:
        self.is_nudged = True
        self._messages.put(None)

    def stop(self) -> None:
        """Claim no more, release waiting deliveries, and end when the current tries end."""
        self.is_stopping = True
        self.nudge()

    def run(self) -> None:
        """Run until nothing is due and no wake-up message can be missing (LINGER_SECONDS), or until TURN_SECONDS are over.

        In the second case it wakes another worker and waits for its current tries.
        """
        ends_at = time.monotonic() + TURN_SECONDS
        with self._threads:
            while time.monotonic() < ends_at and not self.is_stopping:
                if self._run_once() and _unregister(self):
                    return
            _unregister(self, is_forced=True)
            wake_up_sender.send()
            self._release_all()
            while self._queues.busy_threads:
                self._record_results(patience=CHECK_SECONDS)
            self._record_results(patience=0.0)

    def _run_once(self) -> bool:
        """Check for due deliveries if there may be some, then wait for messages. Returns whether there is nothing to wait for."""
        has_more = False
        if self._should_check:
            started_at = time.monotonic()
            if self.is_nudged:
                self.is_nudged, self._lingers_until = False, started_at + LINGER_SECONDS
            has_more = assign_all_positions(now=timezone.now()) >= CHUNK
            self._claim()
            if not (has_more or self._queues.is_busy) and started_at >= self._lingers_until:
                return True
        self._start_threads()
        self._record_results(patience=0.0 if has_more else self._patience())
        self._should_check = self._should_check or has_more
        return False

    def _patience(self) -> float:
        if self._queues.busy_threads:
            return CHECK_SECONDS
        return max(0.0, min(CHECK_SECONDS, self._lingers_until - time.monotonic()))

    def _claim(self) -> None:
        for batch in claim_due(capacity=self._queues.capacity(), now=timezone.now()):
            self._queues.add(batch)

    def _start_threads(self) -> None:
        while (queue := self._queues.assign_thread()) is not None:
            self._threads.submit(self._send_some, queue)

    def _send_some(self, queue: EndpointQueue) -> None:
        """Runs in a thread. A failure releases all waiting deliveries: each would wait for an endpoint that does not work."""
        ends_at = time.monotonic() + THREAD_TURN_SECONDS
        while time.monotonic() < ends_at:
            if (claim := queue.take()) is None or not self._send_one(claim, queue):
                break
            if queue.is_half_sent:
                self._messages.put(None)
        self._messages.put(ThreadEnded(queue))

    def _send_one(self, claim: ClaimedDelivery, queue: EndpointQueue) -> bool:
        is_late = self.is_stopping or time.monotonic() > claim.start_by
        result = None if is_late else send(claim.post)
        self._messages.put(ClaimResult(claim, result))
        if result is not None:
            queue.note_duration(result.milliseconds)
        if result is not None and result.has_succeeded:
            return True
        self._release(queue)
        return False

    def _release_all(self) -> None:
        for queue in self._queues:
            self._release(queue)

    def _release(self, queue: EndpointQueue) -> None:
        for waiting in queue.drain():
            self._messages.put(ClaimResult(waiting, None))

    def _record_results(self, *, patience: float) -> None:
        """Record results that arrive within `patience` seconds, if any."""
        if results := self._gather(patience):
            record(results, now=timezone.now())

    def _gather(self, patience: float) -> list[ClaimResult]:
        """Collect results. When a thread ends, the next one starts meanwhile."""
        results, others = [], 0
        for message in self._receive(patience):
            if isinstance(message, ClaimResult):
                results.append(message)
                continue
            others += 1
            if message is not None:
                message.queue.threads -= 1
                self._start_threads()
        self._should_check = others > 0 or not results
        return results

    def _receive(self, patience: float) -> Iterator[Message]:
        """Yield the first message that arrives within `patience` seconds, and all that follow within GATHER_SECONDS.

        The short wait also lets more deliveries become due before the next check.
        """
        with suppress(Empty):
            yield self._messages.get(timeout=patience)
            until = time.monotonic() + GATHER_SECONDS
            while (left := until - time.monotonic()) >= 0:
                yield self._messages.get(timeout=left)


_lock = threading.Lock()
_running: list[DeliveryLoop] = []


def deliver_due() -> None:
    """Send due deliveries. If a loop runs in this process already, make it check again and return at once."""
    with _lock:
        if _running:
            _running[0].nudge()
            return
        loop = DeliveryLoop()
        _running.append(loop)
    try:
        loop.run()
    finally:
        _unregister(loop, is_forced=True)


def stop() -> None:
    """Make the loop of this process end soon."""
    with _lock:
        for each in _running:
            each.stop()


def _unregister(loop: DeliveryLoop, *, is_forced: bool = False) -> bool:
    """Unregister `loop`. Returns False, and does nothing, if it was nudged after its last check."""
    with _lock:
        if loop.is_nudged and not is_forced:
            return False
        if loop in _running:
            _running.remove(loop)
        return True
