"""Units that are open now, for whoever has to wait until what they write can be seen.

Participants that exist are locked; who waits for those knows of all that was written for them. Who is new to a unit is locked by nobody.
"""

import time
from collections.abc import Iterator

from django.db import connection

from participants.models import Participant

PAUSE_SECONDS = 0.02

# Every unit begins by locking participants, and keeps the table's lock to its end, where it found nobody, too.
_OPEN = f"""
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = '{Participant._meta.db_table}'::regclass AND mode = 'RowShareLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()
"""  # noqa: S608 - a name of our own


def wait_for_open_units() -> Iterator[int]:
    """Wait, a moment each time it is asked, until every unit that is open at first has ended; answers 0 each time, as a sweep that has
    looked at nobody. On SQLite, where writers queue up, whoever writes has waited already.
    """
    waited_for = open_units()
    while waited_for := waited_for & open_units():
        yield 0
        time.sleep(PAUSE_SECONDS)


def open_units() -> frozenset[str]:
    """Of all tenants, but for that of this connection."""
    if connection.vendor != "postgresql":
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_OPEN)
        return frozenset(name for (name,) in cursor.fetchall())
