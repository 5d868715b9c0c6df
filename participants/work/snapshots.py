"""Several reads of one moment: what is written between them is seen by none of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from participants.models import Tenant
from participants.work.reading import reading

_BEGIN = {"postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "sqlite": "BEGIN DEFERRED"}


@contextmanager
def snapshot(tenant: Tenant) -> Iterator[Tenant]:
    """Read a tenant's data as it is at the first read in the block; nothing may be written in it, and nobody is waited for.

    Inside a transaction it is that one's view.
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
