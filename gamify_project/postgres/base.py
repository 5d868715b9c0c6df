"""PostgreSQL with an explicit BEGIN, and instants that are read in a tenth of the time.

psycopg sends BEGIN by itself before the first statement of a transaction, and waits for its answer even in pipeline mode:
a round trip for nothing in every write. Django has a hook for databases whose transactions it must begin itself (made
for SQLite); with it BEGIN is a statement like any other and travels with the statements behind it.
"""

from datetime import UTC, datetime
from typing import Any

from django.db.backends.postgresql import base
from psycopg.types.datetime import TimestamptzLoader


class InstantLoader(TimestamptzLoader):
    """Python itself reads what PostgreSQL writes, but for what psycopg has an error for: infinity, years beyond its own."""

    timezone = UTC  # which Django asks each cursor for

    def load(self, data: Any) -> datetime:
        try:
            return datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            return super().load(data)


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        if self.timezone is UTC:
            connection.adapters.register_loader("timestamptz", InstantLoader)
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        with self.wrap_database_errors:
            self.connection.execute("BEGIN")
