"""Identifiers created by the application, so that no sequence ties the data to one database server."""

from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a UUIDv7. Ids sort by the time of their creation, and within one process even inside a millisecond."""
    return uuid7()


def first_id_at(instant: datetime) -> UUID:
    """Return the lowest id of `instant`: ids created before `instant` sort before it, and all others do not.

    So a range of time is a range of any table's primary key.
    """
    return UUID(int=int(instant.timestamp() * 1000) << 80)
