"""PostgreSQL backend with an explicit BEGIN, limits on every wait, and a parser of instants that is ten times as fast.

psycopg sends BEGIN before the first statement of a transaction and waits for its answer, even in pipeline mode. That is a useless
round trip in every write. Django has a hook for databases in which it must begin transactions itself (made for SQLite). With it,
BEGIN is an ordinary statement and is sent together with the statements after it.

The limits of a session are set when it begins. A pooler in transaction mode knows no sessions: with `DATABASE_POOLER=transaction` they
are set in each transaction, in the round trip of BEGIN. The startup parameter `options` is not used, because poolers refuse it.
"""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

from gamify_project.postgres.connections import Connection
from gamify_project.postgres.cursors import FencedCursor, FencedServerCursor
from gamify_project.postgres.limits import limits
from gamify_project.postgres.schema import DatabaseSchemaEditor
from participants.database import build_fence, is_in_round_trip, one_round_trip, send, settle_rider


class InstantLoader(TimestamptzLoader):
    """Parses instants with Python's own parser, which is faster. For values that it cannot parse (infinity, years after 9999),
    psycopg raises its usual error.
    """

    timezone = UTC  # Django requests UTC for each cursor

    def load(self, data: Any) -> datetime:
        try:
            return datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            return super().load(data)


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = DatabaseSchemaEditor
    Database: Any = SimpleNamespace(**{**vars(psycopg), "connect": Connection.connect})  # Django's name for the driver

    def get_connection_params(self) -> dict[str, Any]:
        return {**limits().of_connection, **super().get_connection_params()}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        if self.timezone is UTC:
            connection.adapters.register_loader("timestamptz", InstantLoader)
        if build_fence(self, connection):
            connection.cursor_factory = FencedCursor
            connection.server_cursor_factory = FencedServerCursor
        return connection

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if not settings.DATABASE_POOLER:
            self.set_limits()

    def set_limits(self, *, is_local: bool = False) -> None:
        """Set the limits of this process for the session, or (`is_local`) for the transaction."""
        values = limits().of_session
        calls = ", ".join(f"set_config('{name}', '{value}', {is_local})" for name, value in values.items())
        send(self, f"SELECT {calls}")

    def _cursor(self, name: str | None = None) -> Any:
        """Create a cursor. What it executes may write, so a query that waits to ride along is sent first."""
        settle_rider(self)
        return super()._cursor(name)  # type: ignore[misc]  # the stubs lack it

    def _start_transaction_under_autocommit(self) -> None:
        if not settings.DATABASE_POOLER:
            send(self, "BEGIN")
        elif is_in_round_trip(self):
            self._begin_with_limits()
        else:
            with one_round_trip(self):
                self._begin_with_limits()

    def _begin_with_limits(self) -> None:
        send(self, "BEGIN")
        self.set_limits(is_local=True)

    def _commit(self) -> Any:
        """Commit unless COMMIT was sent with the writes. psycopg would find that out too, but not without waiting for its lock."""
        if self.connection is None or self.connection.pgconn.transaction_status != TransactionStatus.IDLE:
            return super()._commit()  # type: ignore[misc]  # the stubs lack it
        return None

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001 - Django's signature
        """Do nothing if it is so already, as it is at the end of every transaction."""
        if self.connection.autocommit != autocommit:
            super()._set_autocommit(autocommit)  # type: ignore[misc]
