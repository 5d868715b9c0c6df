"""Which database errors mean that another transaction was first, and which mean a bug."""

from django.db import Error

RACED_CONSTRAINTS = ("participant_external_id_unique", "idempotency_key_unique")
DEADLOCK_DETECTED = "40P01"
SERIALIZATION_FAILURE = "40001"


def is_passing_conflict(error: Error) -> bool:
    """Whether the same unit, begun anew, can succeed.

    SQLite runs one writer at a time and so never gets here: its unit reads after the lock what the other wrote.
    """
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in {DEADLOCK_DETECTED, SERIALIZATION_FAILURE}:
        return True
    return getattr(getattr(cause, "diag", None), "constraint_name", None) in RACED_CONSTRAINTS
