"""Identifiers made by the application, so that no sequence ties the data to one database machine."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A UUIDv7: sorts by the time it was made, also among those one process makes within a millisecond."""
    return uuid7()
