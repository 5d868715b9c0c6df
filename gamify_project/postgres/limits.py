"""How long a process waits for PostgreSQL. Requests have short limits, everything else has long ones.

A process has the limits of commands until it calls `apply_to_requests`, as a web server does (docs/decisions/0026-stalls.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

REQUESTS, COMMANDS = "requests", "commands"
IDLE_IN_TRANSACTION_SECONDS = 60
"""How long PostgreSQL keeps the locks of a process that stopped in the middle of a transaction."""


@dataclass(frozen=True)
class Limits:
    """All in seconds.

    - `lock`: wait for one lock. `statement`: run one statement. PostgreSQL itself measures these two.
    - `connect`: wait for a new connection; at least 2, because psycopg rounds it up.
    - `tcp_user`: wait until the other host acknowledges what was sent.
    - `silence`: wait for an answer before asking whether PostgreSQL answers at all. None: never ask.
    """

    lock: float
    statement: float
    connect: int
    tcp_user: float
    silence: float | None = None

    @property
    def of_connection(self) -> Mapping[str, int]:
        """Parameters of libpq."""
        return {"connect_timeout": self.connect, "tcp_user_timeout": _milliseconds(self.tcp_user)}

    @property
    def of_session(self) -> Mapping[str, str]:
        """Settings of PostgreSQL. Starting a parallel worker takes longer than any query of the web."""
        return {
            "lock_timeout": str(_milliseconds(self.lock)),
            "statement_timeout": str(_milliseconds(self.statement)),
            "idle_in_transaction_session_timeout": str(_milliseconds(IDLE_IN_TRANSACTION_SECONDS)),
            "max_parallel_workers_per_gather": "0",
        }


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


_kind = COMMANDS


def apply_to_requests() -> None:
    """Give this process the limits of requests. Connections that are open already keep theirs."""
    global _kind  # noqa: PLW0603 - a process serves requests, or it does not
    _kind = REQUESTS


def limits() -> Limits:
    """Return the limits of this process."""
    found: Limits = settings.DATABASE_LIMITS[_kind]
    return found
