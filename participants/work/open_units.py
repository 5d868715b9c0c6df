"""Waits until all units of work that are open now have ended, so that what they wrote can be read.

Locks on participants are not enough for that: a participant who is new to a unit has no row yet, so no lock protects them.
"""

import time
from collections.abc import Iterator

from django.db import connection

from participants.models import Participant

PAUSE_SECONDS = 0.02

# Every unit begins by locking participants, and holds the table's lock until it ends, even if no participant was found.
_OPEN = f"""
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = '{Participant._meta.db_table}'::regclass AND mode = 'RowShareLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()
"""  # noqa: S608 - the name of our own table


def wait_for_open_units() -> Iterator[int]:
    """Generator: yield 0 every 20 ms until all units that were open at the start have ended (PostgreSQL).

    It yields numbers so that sweeps can chain it with their chunks. On SQLite it yields nothing: writers queue up, so a writer has
    already waited.
    """
    waited_for = open_units()
    while waited_for := waited_for & open_units():
        yield 0
        time.sleep(PAUSE_SECONDS)


def open_units() -> frozenset[str]:
    """The transaction ids of all open units, of all tenants, without this connection's own."""
    if connection.vendor != "postgresql":
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_OPEN)
        return frozenset(name for (name,) in cursor.fetchall())
