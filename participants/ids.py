"""Identifiers made by the application, so that no sequence ties the data to one database machine."""

from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A UUIDv7: sorts by the time it was made, also among those one process makes within a millisecond."""
    return uuid7()


def first_id_at(instant: datetime) -> UUID:
    """No id that is made at `instant` or later sorts before this one, and every earlier one does: a range of time is a range of
    any table's primary key."""
    return UUID(int=int(instant.timestamp() * 1000) << 80)
