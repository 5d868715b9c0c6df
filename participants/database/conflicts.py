"""Tells database errors that mean "another transaction was first" from errors that mean a bug."""

from django.db import Error

RACED_CONSTRAINTS = ("participant_external_id_unique", "idempotency_key_unique")
DEADLOCK_DETECTED = "40P01"
SERIALIZATION_FAILURE = "40001"
LOCK_NOT_AVAILABLE = "55P03"
QUERY_CANCELED = "57014"


def is_passing_conflict(error: Error) -> bool:
    """Whether the same unit can succeed if it is restarted.

    SQLite never raises such errors, because it runs one writer at a time: a unit has the lock before it reads.
    """
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in {DEADLOCK_DETECTED, SERIALIZATION_FAILURE}:
        return True
    return getattr(getattr(cause, "diag", None), "constraint_name", None) in RACED_CONSTRAINTS


def is_timeout(error: Error) -> bool:
    """Whether PostgreSQL ended the statement because of `lock_timeout` or `statement_timeout`."""
    return getattr(error.__cause__, "sqlstate", None) in {LOCK_NOT_AVAILABLE, QUERY_CANCELED}


def conflict_name(error: BaseException) -> str:
    """Name what two units collided at, for the log: the constraint, or else the class of the error.

    The text of the error holds the values of the row, such as a participant's id, which must not be in a log.
    """
    diagnostics = getattr(getattr(error, "__cause__", None), "diag", None)
    constraint: str | None = getattr(diagnostics, "constraint_name", None)
    return constraint or type(error).__name__
