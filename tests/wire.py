"""What travels between this process and PostgreSQL, read from libpq's own trace."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection


@dataclass
class Wire:
    round_trips: int = 0


@contextmanager
def counted_round_trips() -> Iterator[Wire]:
    """Count round trips on the default connection: the server ends each with one ReadyForQuery."""
    wire = Wire()
    connection.ensure_connection()
    with tempfile.TemporaryFile() as trace:
        connection.connection.pgconn.trace(trace.fileno())
        try:
            yield wire
        finally:
            connection.connection.pgconn.untrace()
            trace.seek(0)
            wire.round_trips = trace.read().count(b"ReadyForQuery")
