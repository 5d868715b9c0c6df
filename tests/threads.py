"""Real threads with connections of their own, let go at the same moment."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection, connections

from tests.processes import until


def all_at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run every call in a thread of its own; answers what each returned, or the exception it raised, in order."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            connections["default"].ensure_connection()
            barrier.wait(timeout=30)
            return call()
        except Exception as error:  # noqa: BLE001 - what a call raised is its answer
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def in_own_connection(call: Callable[[], Any]) -> Any:
    """Make the call, and close the connections that its thread has opened."""
    try:
        return call()
    finally:
        connections.close_all()


def wait_until_a_lock_is_awaited() -> None:
    until(_is_a_lock_awaited, what="a lock is awaited")


def _is_a_lock_awaited() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone() == (True,)
