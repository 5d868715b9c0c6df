"""Sends statements to PostgreSQL in one round trip, straight through libpq.

psycopg's cursors take longer for a small statement than PostgreSQL takes to execute it: each statement needs a cursor, a query object
and several generators. Here a statement is a text and its parameters, and all of them share one pipeline. psycopg still adapts the
values in both directions, opens the connection, and describes errors.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial
from itertools import count
from typing import Any
from uuid import UUID

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionProxy
from psycopg import DataError, OperationalError, errors, generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

from participants.database.fence import Fence
from participants.database.riders import (
    Fingerprint,
    Rider,
    can_ride_with,
    fingerprint_of,
    ride_along,
    waiting_rider,
)
from participants.database.scope import Scope, current_scope

Rows = list[Any]
Fetch = Callable[[], Rows]

MAX_PREPARED = 300
"""Statements that one connection keeps prepared at most. Each takes some kilobytes in PostgreSQL."""

# Attributes of Django's connection object.
_BATCH, _SESSION = "_gamify_batch", "_gamify_session"
_PLACEHOLDER = re.compile("%([s%])")


def _text(value: str) -> bytes:
    """Raises DataError for NUL: libpq would take it for the end of the text."""
    text = value.encode()
    if b"\0" in text:
        raise DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return text


_WRITERS: Mapping[type[Any], Callable[[Any], bytes | None]] = {
    type(None): lambda value: None,
    str: _text,
    int: lambda value: b"%d" % value,
    bool: lambda value: b"t" if value else b"f",
    UUID: lambda value: b"%032x" % value.int,
    datetime: lambda value: str(value).encode(),
}
"""How PostgreSQL reads values of these types as text. psycopg writes the same, but takes several times as long for a short row."""


def send(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any] = ()) -> Fetch:
    """Execute one statement, and return a function that fetches its rows.

    Inside `one_round_trip` the statement is only queued: it is sent at the end of the block, and the rows can be fetched after it.

    `sql` has `%s` for each parameter. The parameters travel as text without types, so PostgreSQL must be able to infer each type.
    """
    connection = of_this_thread(connection)
    if connection.vendor != "postgresql":
        cursor = connection.cursor()
        cursor.execute(sql, params)
        fetch: Fetch = cursor.fetchall
        return fetch
    batch: _Batch | None = connection.__dict__.get(_BATCH)
    if batch is not None:
        return batch.add(sql, params)
    connection.ensure_connection()
    with connection.wrap_database_errors:
        batch = _Batch(connection)
        fetch = batch.add(sql, params)
        batch.run()
    return fetch


@contextmanager
def one_round_trip(connection: BaseDatabaseWrapper) -> "Iterator[_Batch | None]":
    """Queue the statements of the block that go through `send`, and send them together at its end. Blocks cannot be nested.

    Statements of the ORM are not queued, so they must not be used inside the block. On SQLite every statement is executed
    immediately.

    Raises django.db.Error for the first statement that fails. The database then skips the rest.
    """
    connection = of_this_thread(connection)
    if connection.vendor != "postgresql":
        yield None
        return
    if connection.__dict__.get(_BATCH) is not None:
        raise RuntimeError("This block is inside another round trip.")
    connection.ensure_connection()
    with connection.wrap_database_errors:
        batch = connection.__dict__[_BATCH] = _Batch(connection)
        try:
            yield batch
        finally:
            connection.__dict__[_BATCH] = None
        batch.run()


def settle_rider(connection: BaseDatabaseWrapper) -> None:
    """Send the waiting rider of `connection` alone, if there is one. Raises what its check raises."""
    connection = of_this_thread(connection)
    rider = waiting_rider(connection)
    if rider is None:
        return
    try:
        connection.ensure_connection()
        with connection.wrap_database_errors:
            batch = _Batch(connection)
            batch.add(rider.sql, rider.params, scope=rider.scope)
            batch.run()
    except Error:
        rider.check(None)
        raise
    rider.check(batch.fingerprint())


def verify_in_this_exchange(connection: BaseDatabaseWrapper, what: Hashable) -> bool:
    """Let the waiting rider that `verifies` this travel behind what is queued already, such as a lock. Returns whether there is one.

    The exchange must not write.
    """
    connection = of_this_thread(connection)
    batch: _Batch | None = connection.__dict__.get(_BATCH)
    if batch is None or (rider := waiting_rider(connection, verifies=what)) is None:
        return False
    batch.board(rider)
    return True


def of_this_thread(connection: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    """Return the object behind `django.db.connection`, a proxy that searches it again for each attribute."""
    return connections[connection.alias] if isinstance(connection, ConnectionProxy) else connection


def is_in_round_trip(connection: BaseDatabaseWrapper) -> bool:
    """Whether statements of `connection` are queued at the moment."""
    return getattr(of_this_thread(connection), _BATCH, None) is not None


class _Statement:
    """A queued statement. `result` is set when it has been executed."""

    def __init__(self, sql: str, params: Sequence[Any], dumped: Sequence[Any], scope: Scope) -> None:
        self.sql = sql
        self.params = params
        self.dumped = dumped
        self.scope = scope
        self.result: Any = None

    def take(self, result: Any) -> None:
        self.result = result


class _Session:
    """What belongs to one connection with PostgreSQL: the adapters of values, and the names of prepared statements."""

    def __init__(self, pg: Any) -> None:
        self.pg = pg
        self.transformer: Any = Transformer.from_context(pg)
        self.names: dict[str, bytes] = {}
        self._uses: Counter[str] = Counter()
        self._numbers = count()
        self._deallocate_all = pg._prepared.clear  # noqa: SLF001
        pg._prepared.clear = self._clear  # noqa: SLF001 - psycopg has no public hook for it

    def _clear(self) -> bool:
        """Let psycopg decide whether to deallocate its prepared statements. It deallocates all of the connection, these included."""
        is_deallocated = bool(self._deallocate_all())
        if is_deallocated:
            self.names.clear()
        return is_deallocated

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper) -> "_Session":
        session: _Session | None = connection.__dict__.get(_SESSION)
        if session is None or session.pg is not connection.connection:
            session = connection.__dict__[_SESSION] = cls(connection.connection)
        return session

    def dump(self, params: Sequence[Any]) -> Sequence[Any]:
        """Return each parameter as PostgreSQL reads it as text. psycopg adapts values of less common types."""
        return [(_WRITERS.get(type(value)) or self._dump)(value) for value in params]

    def _dump(self, value: Any) -> Any:
        [dumped] = self.transformer.dump_sequence([value], [PyFormat.TEXT])
        return dumped

    def rows(self, result: Any) -> Rows:
        if result.status != ExecStatus.TUPLES_OK:
            return []
        self.transformer.set_pgresult(result)
        rows: Rows = self.transformer.load_rows(0, result.ntuples, tuple)
        return rows

    def new_name(self) -> bytes:
        return b"gamify_%d" % next(self._numbers)

    def remember(self, sql: str, name: bytes, result: Any) -> None:
        """Take the result of preparing `sql`."""
        self.names[sql] = name

    def wants_prepared(self, sql: str) -> bool:
        """Whether to prepare `sql` now: after `prepare_threshold` uses, as in psycopg. None means never."""
        threshold = self.pg.prepare_threshold
        if threshold is None or len(self.names) >= MAX_PREPARED:
            return False
        self._uses[sql] += 1
        is_due: bool = self._uses[sql] > threshold
        return is_due


class _Batch:
    """Statements that are sent together."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection
        self._session = _Session.of(connection)
        self._statements: list[_Statement] = []
        self._riding: tuple[Rider, _Statement] | None = None

    def add(self, sql: str, params: Sequence[Any], *, scope: Scope | None = None) -> Fetch:
        """Queue a statement. `scope` is the current one by default."""
        self._connection.validate_no_broken_transaction()
        statement = _Statement(sql, params, self._session.dump(params), scope or current_scope.get())
        self._statements.append(statement)
        return lambda: self._session.rows(statement.result)

    def run(self) -> None:
        """Send the statements and wait for all results. A rider travels with them, or before them if they may write.

        Raises psycopg.Error for the first that failed, and what the check of the rider raises.
        """
        if not self._statements:
            return
        texts = [statement.sql for statement in self._statements]
        if self._riding is not None:
            self._run_with(*self._riding)
        elif not can_ride_with(texts):
            settle_rider(self._connection)
            self._run(self._statements)
        elif (rider := waiting_rider(self._connection)) is not None:
            self._run_with(*self.board(rider, place=int(texts[0] == "BEGIN")))
        else:
            self._run(self._statements)

    def board(self, rider: Rider, *, place: int | None = None) -> "tuple[Rider, _Statement]":
        """Queue the statement of `rider`, by default as the last one so far."""
        riding = _Statement(rider.sql, rider.params, self._session.dump(rider.params), rider.scope)
        self._statements.insert(len(self._statements) if place is None else place, riding)
        self._riding = rider, riding
        return self._riding

    def _run_with(self, rider: Rider, riding: _Statement) -> None:
        try:
            self._run(self._statements)
        except Exception:
            self._settle_after_failure(rider, riding)
            raise
        rider.check(fingerprint_of(riding.result))

    def _settle_after_failure(self, rider: Rider, riding: _Statement) -> None:
        """Check the rider if it was answered before another statement failed; let it wait for the next exchange if it was not."""
        if riding.result is not None:
            rider.check(fingerprint_of(riding.result))
        elif self._session.pg.closed:
            rider.check(None)
        else:
            ride_along(self._connection, rider)

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint of the first statement's answer."""
        return fingerprint_of(self._statements[0].result)

    def _run(self, statements: Sequence[_Statement]) -> None:
        started = time.monotonic()
        try:
            self._exchange(statements)
        finally:
            if self._connection.queries_logged:
                self._log(statements, time.monotonic() - started)

    def _exchange(self, statements: Sequence[_Statement]) -> None:
        pg = self._session.pg
        pgconn = pg.pgconn
        with pg.lock:
            pgconn.enter_pipeline_mode()
            try:
                failure = pg.wait(_communicate(pgconn, self._session, self._with_scopes(statements)))
                if pgconn.status != ConnStatus.BAD:
                    pgconn.exit_pipeline_mode()
            except BaseException:
                if pgconn.status != ConnStatus.BAD:
                    pg.close()  # unread results would be taken for those of the next statements
                raise
        if failure is not None:
            raise failure

    def _with_scopes(self, statements: Sequence[_Statement]) -> Sequence[_Statement]:
        """Return `statements`, and before each that needs another scope one that sets it."""
        fence = Fence.of(self._session.pg)
        if fence is None:
            return statements
        if self._session.pg.pgconn.transaction_status == TransactionStatus.IDLE:
            fence.forget()
        scoped = []
        for statement in statements:
            if setting := fence.setting_before(statement.sql, statement.scope):
                scoped.append(_Statement(setting[0], (), setting[1], statement.scope))
            scoped.append(statement)
        return scoped

    def _log(self, statements: Sequence[_Statement], seconds: float) -> None:
        for statement in statements:
            operations: Any = self._connection.ops
            sql = operations.compose_sql(statement.sql, statement.params)
            self._connection.queries_log.append({"sql": sql, "time": f"{seconds:.3f}"})


def _communicate(
    pgconn: Any, session: _Session, statements: Sequence[_Statement]
) -> Generator[Any, Any, Exception | None]:
    """Send all statements and collect their results. Returns the error of the first that failed, or None.

    It is a generator of psycopg's kind: it yields whenever it must wait for the socket.
    """
    takers: list[Callable[[Any], None]] = []
    preparing: dict[str, bytes] = {}
    for statement in statements:
        takers += _queue(pgconn, session, statement, preparing)
    pgconn.pipeline_sync()
    yield from generators.send(pgconn)
    failure: Exception | None = None
    try:
        for take in takers:
            result = yield from _next_result(pgconn)
            pgconn.get_result()  # None, the end of the results of one statement
            error = _take(result, take, session)
            failure = failure or error
        yield from _next_result(pgconn)  # the end of the pipeline
    except OperationalError as lost:
        return failure or lost
    return failure


def _next_result(pgconn: Any) -> Generator[Any, Any, Any]:
    """Wait for a result and return it. Raises OperationalError if the connection is lost."""
    while pgconn.is_busy():
        while not (yield generators.WAIT_R):
            pass
        pgconn.consume_input()
    result = pgconn.get_result()
    if result is None:
        raise OperationalError("the connection is lost")
    return result


def _take(result: Any, take: Callable[[Any], None], session: _Session) -> Exception | None:
    """Give `take` the result of a statement. Returns the error if it failed. A statement behind a failed one has no result."""
    if result.status == ExecStatus.FATAL_ERROR:
        return errors.error_from_result(result, encoding=session.transformer.encoding)
    if result.status != ExecStatus.PIPELINE_ABORTED:
        take(result)
    return None


def _queue(
    pgconn: Any, session: _Session, statement: _Statement, preparing: dict[str, bytes]
) -> Iterator[Callable[[Any], None]]:
    """Queue `statement` in libpq. Yields a function for each result that it will bring.

    `preparing` names the statements that this batch prepares. The session remembers them once that has succeeded.
    """
    sql = _numbered(statement.sql)
    name = session.names.get(statement.sql) or preparing.get(statement.sql)
    if name is None and session.wants_prepared(statement.sql):
        name = preparing[statement.sql] = session.new_name()
        pgconn.send_prepare(name, sql)
        yield partial(session.remember, statement.sql, name)
    if name is None:
        pgconn.send_query_params(sql, statement.dumped)
    else:
        pgconn.send_query_prepared(name, statement.dumped)
    yield statement.take


@lru_cache(maxsize=4096)
def _numbered(sql: str) -> bytes:
    """Return `sql` with `$1`, `$2` … instead of `%s`, and `%` instead of `%%`."""
    numbers = count(1)
    return _PLACEHOLDER.sub(lambda found: "%" if found[1] == "%" else f"${next(numbers)}", sql).encode()
