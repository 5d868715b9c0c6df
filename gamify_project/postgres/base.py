"""PostgreSQL backend with an explicit BEGIN, and a parser of instants that is ten times as fast.

psycopg sends BEGIN before the first statement of a transaction and waits for its answer, even in pipeline mode. That is a useless
round trip in every write. Django has a hook for databases in which it must begin transactions itself (made for SQLite). With it,
BEGIN is an ordinary statement and is sent together with the statements after it.
"""

from datetime import UTC, datetime
from typing import Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

from gamify_project.postgres.schema import DatabaseSchemaEditor
from participants.database import send, settle_rider


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

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        if self.timezone is UTC:
            connection.adapters.register_loader("timestamptz", InstantLoader)
        return connection

    def _cursor(self, name: str | None = None) -> Any:
        """Create a cursor. What it executes may write, so a query that waits to ride along is sent first."""
        settle_rider(self)
        return super()._cursor(name)  # type: ignore[misc]  # the stubs lack it

    def _start_transaction_under_autocommit(self) -> None:
        send(self, "BEGIN")

    def _commit(self) -> Any:
        """Commit unless COMMIT was sent with the writes. psycopg would find that out too, but not without waiting for its lock."""
        if self.connection is None or self.connection.pgconn.transaction_status != TransactionStatus.IDLE:
            return super()._commit()  # type: ignore[misc]  # the stubs lack it
        return None

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001 - Django's signature
        """Do nothing if it is so already, as it is at the end of every transaction."""
        if self.connection.autocommit != autocommit:
            super()._set_autocommit(autocommit)  # type: ignore[misc]
