"""Cursors that send the scope of the transaction together with a statement (docs/decisions/0030).

They replace Django's cursors where the login role is separated by tenants. Everything else is psycopg's.
"""

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import errors, generators
from psycopg._preparing import Prepare
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

from participants.database import pending_setting

Setting = tuple[bytes, list[bytes]]
"""A statement and its parameters."""


class FencedCursor(psycopg.Cursor[Any]):
    """An ordinary cursor, with parameters that the server binds. Scope and statement share a pipeline: one round trip."""

    def executemany(self, query: Any, params_seq: Iterable[Any], *, returning: bool = False) -> None:
        """Execute one by one: psycopg's own pipeline has no place for the scope."""
        for params in params_seq:
            self.execute(query, params)

    def _maybe_prepare_gen(self, pgq: Any, *, prepare: bool | None = None, binary: bool | None = None) -> Any:
        setting = _pending(self._conn, pgq.query[:16].decode(errors="replace"))
        if setting is None:
            yield from super()._maybe_prepare_gen(pgq, prepare=prepare, binary=binary)
            return
        self._pgconn.enter_pipeline_mode()
        try:
            results = yield from self._exchange(pgq, setting, prepare=prepare, binary=binary)
            if self._pgconn.status != ConnStatus.BAD:
                self._pgconn.exit_pipeline_mode()
        except BaseException:
            if self._pgconn.status != ConnStatus.BAD:
                self._conn.close()  # unread results would be taken for those of the next statements
            raise
        failed = next((result for result in results if result.status == ExecStatus.FATAL_ERROR), None)
        if failed is not None:
            raise errors.error_from_result(failed, encoding=self._encoding)
        self._set_results(results[-1:])

    def _exchange(self, pgq: Any, setting: Setting, *, prepare: bool | None, binary: bool | None) -> Any:
        """Send the scope, the statement and its preparation if that is due. Returns their results, the statement's last."""
        self._pgconn.send_query_params(*setting)
        preparation, name = self._get_prepared(pgq, prepare)
        if preparation is Prepare.NO:
            self._execute_send(pgq, force_extended=True, binary=binary)
        else:
            if preparation is Prepare.SHOULD:
                self._send_prepare(name, pgq)
            self._send_query_prepared(name, pgq, binary=binary)
        prepared = self._conn._prepared  # noqa: SLF001 - as in psycopg's own method
        key = prepared.maybe_add_to_cache(pgq, preparation, name)
        self._pgconn.pipeline_sync()
        yield from generators.send(self._pgconn)
        results = []
        for _ in range(3 if preparation is Prepare.SHOULD else 2):
            results += yield from generators.fetch_many(self._pgconn)
        yield from generators.fetch_many(self._pgconn)  # the end of the pipeline
        if key is not None:
            prepared.validate(key, preparation, name, results[-1:])
        return results


class FencedServerCursor(psycopg.ServerCursor[Any]):
    """A named cursor. It is rare, so the scope may take round trips of its own."""

    def _declare_gen(self, query: Any, params: Any = None, binary: bool | None = None) -> Any:  # noqa: FBT001 - psycopg's signature
        is_idle = self._pgconn.transaction_status == TransactionStatus.IDLE
        setting = _pending(self._conn, "DECLARE")
        if setting is None:
            yield from super()._declare_gen(query, params, binary)
            return
        if is_idle:  # the cursor holds its rows after the transaction
            yield from _run(self._conn, b"BEGIN")
        try:
            yield from _run(self._conn, *setting)
            yield from super()._declare_gen(query, params, binary)
        except BaseException:
            if is_idle:
                yield from _run(self._conn, b"ROLLBACK")
            raise
        if is_idle:
            yield from _run(self._conn, b"COMMIT")


def _pending(pg: Any, sql: str) -> Setting | None:
    setting = pending_setting(pg, sql, is_idle=pg.pgconn.transaction_status == TransactionStatus.IDLE)
    return None if setting is None else (_numbered(setting[0]), setting[1])


def _numbered(sql: str) -> bytes:
    return sql.replace("%s", "$1", 1).replace("%s", "$2", 1).encode()


def _run(pg: Any, sql: bytes, params: list[bytes] | None = None) -> Any:
    pg.pgconn.send_query_params(sql, params)
    [result] = yield from generators.execute(pg.pgconn)
    if result.status == ExecStatus.FATAL_ERROR:
        raise errors.error_from_result(result)
