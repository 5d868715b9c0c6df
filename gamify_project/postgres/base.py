"""PostgreSQL with an explicit BEGIN.

psycopg sends BEGIN by itself before the first statement of a transaction, and waits for its answer even in pipeline mode:
a round trip for nothing in every write. Django has a hook for databases whose transactions it must begin itself (made
for SQLite); with it BEGIN is a statement like any other and travels with the statements behind it.
"""

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def _start_transaction_under_autocommit(self) -> None:
        with self.wrap_database_errors:
            self.connection.execute("BEGIN")
