"""A connection with PostgreSQL that does not wait forever.

`lock_timeout` and `statement_timeout` end only when PostgreSQL runs, and `tcp_user_timeout` only when its kernel does not. A
process that hangs or was stopped is found here: by asking it something else.
"""

from typing import Any, Self

import psycopg
from psycopg import errors, generators

from gamify_project.postgres.limits import limits
from gamify_project.postgres.waiting import silence, waiters

SHORT_SECONDS = 0.3
"""How long a thread waits before it counts as waiting."""
_INTERVAL = 0.1  # how often psycopg looks for Ctrl-C


class Connection(psycopg.Connection[Any]):
    """In a process that serves requests, threads that wait are counted, and give up if PostgreSQL is silent."""

    @classmethod
    def connect(cls, conninfo: str = "", **params: Any) -> Self:
        """Raises DatabaseSilent at once if PostgreSQL did not answer a moment ago."""
        if limits().silence is None:
            connection = super().connect(conninfo, **params)
        else:
            with silence.attempt():
                connection = super().connect(conninfo, **params)
                if silence.is_silent:
                    _require_answer(connection)
        connection.params = params
        return connection

    params: dict[str, Any]

    def wait(self, gen: Any, interval: float = _INTERVAL, timeout: float | None = None) -> Any:
        """Wait for an answer. Raises DatabaseSilent, and closes the connection, if PostgreSQL does not answer anybody."""
        seconds = limits().silence
        if seconds is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, SHORT_SECONDS)
        except errors._WaitTimeout:  # noqa: SLF001 - psycopg has no public name for it
            with waiters.one_more():
                return self._wait_long(gen, interval, seconds)

    def _wait_long(self, gen: Any, interval: float, seconds: float) -> Any:
        pause = max(0.0, seconds - SHORT_SECONDS)
        while True:
            try:
                return super().wait(gen, interval, pause)
            except errors._WaitTimeout:  # noqa: SLF001
                self._check()
                pause = seconds

    def _check(self) -> None:
        try:
            silence.check(self._ask)
        except BaseException:
            self.close()  # otherwise the rollback would wait as well
            raise

    def _ask(self) -> None:
        """Ask PostgreSQL something on a new connection."""
        with psycopg.Connection.connect(**self.params) as other:
            _require_answer(other)


def _require_answer(connection: psycopg.Connection[Any]) -> None:
    """Raise ConnectionTimeout if a query gets no answer: a pooler accepts connections although PostgreSQL is silent."""
    connection.pgconn.send_query(b"SELECT 1")
    try:
        connection.wait(generators.execute(connection.pgconn), timeout=limits().connect)
    except errors._WaitTimeout as error:  # noqa: SLF001
        connection.close()
        raise errors.ConnectionTimeout("no answer") from error
