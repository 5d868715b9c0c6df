"""A worker that delivers: it claims, has threads send, and writes down what came of it, until nothing is due.

Threads know HTTP and no database, this one knows the database and no HTTP. There is one in a process: who is called while it is
at work has it look again.
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
"""Then another begins, so that none comes near the time at which a task is killed."""
LOOK_SECONDS = 0.5
GATHER_SECONDS = 0.05
"""Results of so long are written down together."""
THREAD_TURN_SECONDS = 0.5
"""Then a thread is free for another endpoint."""


@dataclass(frozen=True)
class ThreadEnded:
    line: EndpointQueue


Message = ClaimResult | ThreadEnded | None
"""None: look again."""


class DeliveryLoop:
    """One turn at delivering. `nudge` and `stop` may be called by any thread, the rest by the one that runs it."""

    def __init__(self) -> None:
        self._news: SimpleQueue[Message] = SimpleQueue()
        self._lines = EndpointQueues(settings.WEBHOOK_THREADS)
        self._threads = ThreadPoolExecutor(settings.WEBHOOK_THREADS, thread_name_prefix="webhook")
        self._may_begin = True
        self._quiet_at = 0.0
        self.is_nudged = True
        self.is_stopping = False

    def nudge(self) -> None:
        self.is_nudged = True
        self._news.put(None)

    def stop(self) -> None:
        """Claim nothing more, give back what is not begun, end with what is under way."""
        self.is_stopping = True
        self.nudge()

    def run(self) -> None:
        """Until nothing is due, and a moment has passed in which something could have come without a message; or until the turn
        is over: then somebody else is called, and what is under way is waited for.
        """
        ends_at = time.monotonic() + TURN_SECONDS
        with self._threads:
            while time.monotonic() < ends_at and not self.is_stopping:
                if self._is_done() and _resign(self):
                    return
            _resign(self, is_forced=True)
            wake_up_sender.send()
            self._give_back()
            while self._lines.busy_threads:
                self._write_down(patience=LOOK_SECONDS)
            self._write_down(patience=0.0)

    def _is_done(self) -> bool:
        """Look, if something may have become due; then wait for news. Answers whether there is nothing to wait for."""
        has_more = False
        if self._may_begin:
            began_at = time.monotonic()
            if self.is_nudged:
                self.is_nudged, self._quiet_at = False, began_at + LINGER_SECONDS
            has_more = assign_all_positions(now=timezone.now()) >= CHUNK
            self._claim()
            if not (has_more or self._lines.is_busy) and began_at >= self._quiet_at:
                return True
        self._begin_lanes()
        self._write_down(patience=0.0 if has_more else self._patience())
        self._may_begin = self._may_begin or has_more
        return False

    def _patience(self) -> float:
        if self._lines.busy_threads:
            return LOOK_SECONDS
        return max(0.0, min(LOOK_SECONDS, self._quiet_at - time.monotonic()))

    def _claim(self) -> None:
        for hold in claim_due(capacity=self._lines.capacity(), now=timezone.now()):
            self._lines.add(hold)

    def _begin_lanes(self) -> None:
        while (line := self._lines.assign_thread()) is not None:
            self._threads.submit(self._send_some, line)

    def _send_some(self, line: EndpointQueue) -> None:
        """In a thread. After a failure all that waits is given back: it would have to wait for an endpoint that does not work."""
        ends_at = time.monotonic() + THREAD_TURN_SECONDS
        while time.monotonic() < ends_at:
            if (claim := line.take()) is None or not self._has_sent(claim, line):
                break
            if line.is_half_sent:
                self._news.put(None)
        self._news.put(ThreadEnded(line))

    def _has_sent(self, claim: ClaimedDelivery, line: EndpointQueue) -> bool:
        is_late = self.is_stopping or time.monotonic() > claim.start_by
        result = None if is_late else send(claim.post)
        self._news.put(ClaimResult(claim, result))
        if result is not None:
            line.note_duration(result.milliseconds)
        if result is not None and result.has_succeeded:
            return True
        self._give_back_of(line)
        return False

    def _give_back(self) -> None:
        for line in self._lines:
            self._give_back_of(line)

    def _give_back_of(self, line: EndpointQueue) -> None:
        for waiting in line.drain():
            self._news.put(ClaimResult(waiting, None))

    def _write_down(self, *, patience: float) -> None:
        """What has come of lanes, once something has."""
        if tried := self._gather(patience):
            record(tried, now=timezone.now())

    def _gather(self, patience: float) -> list[ClaimResult]:
        """What comes of tries. Where a lane ends, the next one begins meanwhile."""
        tried, others = [], 0
        for news in self._arriving(patience):
            if isinstance(news, ClaimResult):
                tried.append(news)
                continue
            others += 1
            if news is not None:
                news.line.threads -= 1
                self._begin_lanes()
        self._may_begin = others > 0 or not tried
        return tried

    def _arriving(self, patience: float) -> Iterator[Message]:
        """The first news, if any comes in time, and what follows within a moment, which also lets more become due before the next look."""
        with suppress(Empty):
            yield self._news.get(timeout=patience)
            until = time.monotonic() + GATHER_SECONDS
            while (left := until - time.monotonic()) >= 0:
                yield self._news.get(timeout=left)


_guard = threading.Lock()
_at_work: list[DeliveryLoop] = []


def deliver_due() -> None:
    """Deliver what is due. Where a pump is at work in this process it is told to look again, and this returns at once."""
    with _guard:
        if _at_work:
            _at_work[0].nudge()
            return
        mine = DeliveryLoop()
        _at_work.append(mine)
    try:
        mine.run()
    finally:
        _resign(mine, is_forced=True)


def stop() -> None:
    """Have the pump of this process end soon."""
    with _guard:
        for each in _at_work:
            each.stop()


def _resign(mine: DeliveryLoop, *, is_forced: bool = False) -> bool:
    """Whether `mine` may go: not when it was nudged after its last look."""
    with _guard:
        if mine.is_nudged and not is_forced:
            return False
        if mine in _at_work:
            _at_work.remove(mine)
        return True
