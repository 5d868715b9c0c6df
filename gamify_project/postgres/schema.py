"""Migrations that never hold up writes for longer than LOCK_TIMEOUT_SECONDS.

An ALTER TABLE that waits for its lock makes all later statements on the table wait behind it. So each migration gives up after
a short time. The command `migrate` then tries again (docs/decisions/0024-rolling-upgrades.md).
"""

from typing import Any, Self

from django.db.backends.postgresql import schema

LOCK_TIMEOUT_SECONDS = 2
"""More than PostgreSQL's `deadlock_timeout` (1 s): after that time it cancels an autovacuum that holds the lock."""


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    connection: Any  # the wrapper of `base`

    def __enter__(self) -> Self:
        super().__enter__()
        if self.atomic_migration:
            self.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
            self.execute("SET LOCAL statement_timeout = 0")
        return self

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Execute `sql`. A concurrent statement waits without a limit: it blocks no writes, and an interruption wastes its work."""
        if "CONCURRENTLY" not in str(sql):
            super().execute(sql, params)
            return
        super().execute("SET lock_timeout = 0")
        super().execute("SET statement_timeout = 0")
        try:
            super().execute(sql, params)
        finally:
            self.connection.set_limits()
