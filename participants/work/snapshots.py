"""Snapshots: several reads that all see the database as it was at one moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from participants.models import Tenant
from participants.work.reading import reading

_BEGIN = {"postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "sqlite": "BEGIN DEFERRED"}


@contextmanager
def snapshot(tenant: Tenant) -> Iterator[Tenant]:
    """Read a tenant's data as it is at the first read in the block. The block must not write.

    Takes no locks: it reads one REPEATABLE READ snapshot. Inside an open transaction it uses that transaction instead.
    """
    connection = transaction.get_connection()
    with reading(tenant):
        if connection.in_atomic_block:
            yield tenant
            return
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute(_BEGIN[connection.vendor])
        try:
            yield tenant
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
