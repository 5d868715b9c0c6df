"""A transaction of two round trips: BEGIN travels with the reads, and COMMIT travels with the writes.

SQLite is in the same process, so there the same code executes the statements one after the other.
"""

import sys
from collections.abc import Callable, Sequence
from types import TracebackType

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from participants.database.exchange import Rows, one_round_trip, send

Read = Callable[[BaseDatabaseWrapper], Callable[[], Rows]]
"""Executes a query when called with a connection, and returns a function that fetches the rows."""


class ShortTransaction:
    """Use as `with ShortTransaction(reads, finish=flush) as results:`.

    `results` are the rows of each read, in order. `finish` is called when the block ends without an error; its statements are sent
    together with COMMIT. If the block raises, the transaction is rolled back and `finish` is not called.
    """

    def __init__(self, reads: Sequence[Read], *, finish: Callable[[], None]) -> None:
        self._reads = reads
        self._finish = finish
        self._connection = transaction.get_connection()
        self._atomic = transaction.atomic()
        self._is_entered = False

    def __enter__(self) -> list[Rows]:
        fetches: list[Callable[[], Rows]] = []
        try:
            with one_round_trip(self._connection):
                self._atomic.__enter__()
                self._is_entered = True
                fetches += [read(self._connection) for read in self._reads]
            return [fetch() for fetch in fetches]
        except BaseException:
            self._roll_back()
            raise

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc is not None:
            self._atomic.__exit__(exc_type, exc, traceback)
            return
        try:
            with one_round_trip(self._connection):
                self._finish()
                self._send_commit()
        except BaseException:
            self._roll_back()
            raise
        self._atomic.__exit__(None, None, None)

    def _send_commit(self) -> None:
        """Send COMMIT as one more statement. Django's own commit, right after, finds no open transaction and sends nothing."""
        is_outermost = not self._connection.savepoint_ids
        if is_outermost and self._connection.vendor == "postgresql":
            send(self._connection, "COMMIT")

    def _roll_back(self) -> None:
        if self._is_entered and self._connection.in_atomic_block:
            self._atomic.__exit__(*sys.exc_info())
