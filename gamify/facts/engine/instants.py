"""Limits of an event's timestamp."""

from datetime import datetime, timedelta

from participants.errors import InvalidInput

FUTURE_ALLOWED = timedelta(minutes=5)
EARLIEST_YEAR = 1970


def check_instant(at: datetime, *, now: datetime) -> None:
    """Refuse a timestamp that is too far in the future or too old. A client's clock may be a few minutes fast.

    Raises: InvalidInput for `timestamp`.
    """
    if at > now + FUTURE_ALLOWED:
        raise InvalidInput("timestamp", "Must not be more than 5 minutes in the future.")
    if at.year < EARLIEST_YEAR:
        raise InvalidInput("timestamp", f"Must not be before {EARLIEST_YEAR}.")
