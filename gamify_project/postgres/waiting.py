"""How many threads of this process are waiting for PostgreSQL, and whether it answers at all."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from psycopg import OperationalError
from psycopg.errors import ConnectionTimeout

from participants.measuring import waiting_threads

PAUSE_SECONDS = 1.0
"""How long an answer counts, and how long a silent PostgreSQL is not asked again."""

logger = structlog.get_logger(__name__)


class DatabaseSilent(OperationalError):
    """PostgreSQL accepts connections but does not answer, or it cannot be reached."""


class Waiters:
    """Counts the threads that have been waiting for an answer for a while. The web server runs other requests in their place."""

    def __init__(self) -> None:
        self.number = 0
        self.on_change: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    @contextmanager
    def one_more(self) -> Iterator[None]:
        self._add(1)
        try:
            yield
        finally:
            self._add(-1)

    def _add(self, difference: int) -> None:
        with self._lock:
            self.number += difference
        waiting_threads.inc(difference)
        self.on_change()


class Silence:
    """A circuit breaker for a PostgreSQL that does not answer.

    While it is open, no thread waits for a new connection, except that one of them tries after each PAUSE_SECONDS.
    """

    def __init__(self) -> None:
        self.is_silent = False
        self._pause_until = 0.0
        self._lock = threading.Lock()
        self._asking = threading.Lock()

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Surround an attempt to connect. Raises DatabaseSilent at once if a recent attempt was in vain."""
        self._admit()
        try:
            yield
        except ConnectionTimeout:
            self._note(is_silent=True)
            raise
        except OperationalError:
            self._note(is_silent=False)
            raise
        self._note(is_silent=False)

    def check(self, ask: Callable[[], object]) -> None:
        """Raise DatabaseSilent if PostgreSQL does not answer.

        `ask` raises ConnectionTimeout if it gets no answer; any other error is an answer. Threads that check at the same time
        share one question.
        """
        with self._asking:
            if time.monotonic() >= self._pause_until:
                self._note(is_silent=_is_unanswered(ask))
        if self.is_silent:
            raise DatabaseSilent("PostgreSQL does not answer")

    def _admit(self) -> None:
        with self._lock:
            if not self.is_silent:
                return
            if time.monotonic() < self._pause_until:
                raise DatabaseSilent("PostgreSQL did not answer a moment ago")
            self._pause_until = time.monotonic() + PAUSE_SECONDS  # the others do not try meanwhile

    def _note(self, *, is_silent: bool) -> None:
        if is_silent != self.is_silent:
            logger.warning("database_silent" if is_silent else "database_answers")
        self.is_silent = is_silent
        self._pause_until = time.monotonic() + PAUSE_SECONDS


def _is_unanswered(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except ConnectionTimeout:
        return True
    except OperationalError:
        return False
    return False


waiters = Waiters()
silence = Silence()
