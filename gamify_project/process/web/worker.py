"""gunicorn's worker process with the product's own loop (docs/decisions/0007-gunicorn.md).

The arbiter is gunicorn's: it binds the port, starts and replaces workers, and stops them. The main thread of a worker answers
the arbiter and watches the loop; it runs no requests, so signals and heartbeats never wait for one.
"""

import contextlib
import os
import select
import time

from django.conf import settings
from gunicorn.workers import base

from gamify_project.postgres.waiting import waiters
from gamify_project.process.web.balance import Slot
from gamify_project.process.web.loop import SLOW_SECONDS, Loop
from gamify_project.process.web.queueing import Queue

BEAT_SECONDS = 1.0


class Worker(base.Worker):  # type: ignore[misc]  # gunicorn has no types
    """The worker class of `gunicorn_config`, which sets the slot before the fork."""

    slot: Slot | None = None

    def run(self) -> None:
        loop = Loop(
            self.wsgi,
            sockets=[listener.sock for listener in self.sockets],
            slot=self.slot,
            queue=Queue(threads=self.cfg.threads, waiting=settings.WEB_WAITING_THREADS, waiters=lambda: waiters.number),
            connections=self.cfg.worker_connections,
            keepalive=self.cfg.keepalive,
            watch=self._wake,
        )
        waiters.on_change = loop.wake
        loop.start()
        while self.alive and loop.is_running and self._has_parent():
            self._watch(loop)
        self._finish(loop)

    def _finish(self, loop: Loop) -> None:
        """Let the loop end its connections. Requests that take longer than the grace period are cut off."""
        loop.stop()
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while loop.is_running and time.monotonic() < deadline:
            self._watch(loop)
        loop.close()
        if loop.has_failed:
            raise SystemExit(1)

    def _watch(self, loop: Loop) -> None:
        """Send a heartbeat, and wait: shortly while a request is running, else until something happens."""
        self.notify()
        self._sleep(SLOW_SECONDS if loop.promote() else BEAT_SECONDS)

    def _sleep(self, seconds: float) -> None:
        """Wait for a signal or the loop. Python writes a byte to this pipe for each signal."""
        if select.select([self.PIPE[0]], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self.PIPE[0], 4096)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # the pipe is full, so the main thread is about to wake up
            os.write(self.PIPE[1], b".")

    def _has_parent(self) -> bool:
        """Whether the arbiter lives. A worker whose arbiter was killed stops."""
        has_parent: bool = self.ppid == os.getppid()
        return has_parent
