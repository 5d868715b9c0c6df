"""The circuit breaker of Redis. Everything in this process that uses Redis goes through it: limits, cache and messages.

Redis only makes things faster or counts them, so a request never fails because of it. The first call that fails waits for its timeout.
After that Redis is not called for PAUSE_SECONDS, and then one call tries whether it answers again.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import structlog
from kombu.exceptions import OperationalError
from limits.errors import StorageError
from redis.exceptions import RedisError

T = TypeVar("T")

PAUSE_SECONDS = 5.0
FAILURES = (RedisError, StorageError, OperationalError, OSError)

logger = structlog.get_logger(__name__)


class Open(Exception):
    """Redis did not answer a moment ago, so it was not called."""


class Breaker:
    """Thread-safe. Calls that run when the first one fails wait for their own timeouts."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self._is_open = False
        self._pause_until = 0.0
        self._lock = threading.Lock()

    def call(self, function: Callable[[], T], *, purpose: str) -> T | None:
        """Return what `function` returns, or None if Redis does not answer."""
        try:
            return self.call_or_raise(function, purpose=purpose)
        except (Open, *FAILURES):
            return None

    def call_or_raise(self, function: Callable[[], T], *, purpose: str) -> T:
        """Return what `function` returns. Raises Open, or one of FAILURES."""
        self._admit()
        try:
            result = function()
        except FAILURES as error:
            self._note_failure(error, purpose)
            raise
        self._is_open = False
        return result

    def _admit(self) -> None:
        with self._lock:
            if not self._is_open:
                return
            if time.monotonic() < self._pause_until:
                raise Open
            self._pause_until = time.monotonic() + PAUSE_SECONDS  # the others do not try meanwhile

    def _note_failure(self, error: Exception, purpose: str) -> None:
        with self._lock:
            self._is_open = True
            self._pause_until = time.monotonic() + PAUSE_SECONDS
        self.failures[type(error).__name__] += 1
        logger.warning("redis_unavailable", purpose=purpose, error=str(error), failures=self.failures.total())


redis_breaker = Breaker()
