"""A query that rides along: it travels with the next exchange of its connection, so that it needs no round trip of its own.

The exchange gives its answer to `check` before any other answer goes out, and before anything is written: a query that meets a
statement that may write is sent alone, before it.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from participants.database.scope import Scope, current_scope

Fingerprint = tuple[bytes | None, ...]
"""The values of all rows of an answer, as PostgreSQL sent them."""

_RIDER = "_gamify_rider"  # an attribute of Django's connection object
_READS = ("BEGIN", "SELECT")
_OPENING = ("BEGIN", "SELECT set_config(")


@dataclass(frozen=True)
class Rider:
    """A query and its `check`, which takes the fingerprint of the answer, or None if the connection was lost before it came.

    - `check` may raise. Nothing has been written then.
    - `verifies` names what `check` finds unchanged, for `verify_in_this_exchange`; None for nothing.
    - `scope` is the one in which the rider was made: it is not that of the exchange.
    """

    sql: str
    params: Sequence[Any]
    check: Callable[[Fingerprint | None], None]
    verifies: Hashable | None = None
    scope: Scope = field(default_factory=current_scope.get)


def ride_along(connection: BaseDatabaseWrapper, rider: Rider) -> None:
    """Send `rider` with the next exchange of `connection`. It replaces one that is still waiting."""
    setattr(connection, _RIDER, rider)


def waiting_rider(connection: BaseDatabaseWrapper, *, verifies: Hashable | None = None) -> Rider | None:
    """Return the rider that no exchange has taken along yet, and forget it. With `verifies`, only a rider that verifies this."""
    rider: Rider | None = connection.__dict__.get(_RIDER)
    if rider is None or (verifies is not None and rider.verifies != verifies):
        return None
    connection.__dict__[_RIDER] = None
    return rider


def can_ride_with(statements: Sequence[str]) -> bool:
    """Whether `statements` read only. The opening of a transaction alone does not count: Django does not expect that it can be refused."""
    return not statements[-1].startswith(_OPENING) and all(sql.startswith(_READS) for sql in statements)


def fingerprint_of(result: Any) -> Fingerprint:
    """Return the fingerprint of libpq's `result`."""
    places = range(result.nfields)
    return tuple(result.get_value(row, place) for row in range(result.ntuples) for place in places)
