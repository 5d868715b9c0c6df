"""A transaction of two round trips: BEGIN with the questions, then the statements with COMMIT.

psycopg's pipeline mode sends statements without waiting for each answer. On SQLite, which is in the same process, the
same code runs the statements one after the other.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

Rows = list[Any]


@contextmanager
def one_round_trip(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Statements executed in the block travel together; their rows can be fetched once it is left.

    Raises django.db.Error for the first of them that fails; the database then skips the rest.
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


Read = Callable[[BaseDatabaseWrapper], Callable[[], Rows]]
"""Executes when called, and answers a function that fetches the rows."""


class ShortTransaction:
    """Use as `with ShortTransaction(questions, finish=flush) as answers:`.

    `answers` are the rows of each question, in order. `finish` is called when the block ends well, and sends what it
    executes together with COMMIT. A block that raises is rolled back and `finish` is not called.
    """

    def __init__(self, questions: Sequence[Read], *, finish: Callable[[], None]) -> None:
        self._questions = questions
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
                fetches += [question(self._connection) for question in self._questions]
            return [fetch() for fetch in fetches]
        except BaseException:
            self._leave_failed()
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
            self._leave_failed()
            raise
        self._atomic.__exit__(None, None, None)

    def _send_commit(self) -> None:
        """COMMIT as one more statement; Django's own, right after, then finds no transaction and sends nothing."""
        is_outermost = not self._connection.savepoint_ids
        if is_outermost and self._connection.vendor == "postgresql":
            self._connection.cursor().execute("COMMIT")

    def _leave_failed(self) -> None:
        if self._is_entered and self._connection.in_atomic_block:
            self._atomic.__exit__(*sys.exc_info())
