"""The retry schedule of failed deliveries (docs/contract.md §14): ten tries over about three days."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.2
MAX_TRIES = len(PAUSES) + 1
MAX_RETRY_AFTER = timedelta(hours=24)
DISABLE_AFTER = timedelta(days=5)
"""An endpoint that fails for this long without a success is disabled."""
DOUBTFUL_FOR = timedelta(minutes=1)
"""An endpoint is doubtful for this long after a failure, even if it accepted deliveries since: it may hang now and then."""
DOWN_AFTER = timedelta(seconds=10)
"""An endpoint that fails for this long without a success is down. Then it gets one try at a time."""


def next_try_at(*, tries: int, at: datetime, chance: float, retry_after: timedelta | None = None) -> datetime | None:
    """Return the time of the next try, or None if `tries` tries are all there are. The last try was at `at`.

    `chance`, in [0, 1), spreads the pause by ± 20 %, so that deliveries that failed together are not retried together.
    `retry_after`, which the endpoint asked for, can only make the pause longer.
    """
    if tries >= MAX_TRIES:
        return None
    pause = PAUSES[tries - 1] * (1 - JITTER + 2 * JITTER * chance)
    return at + max(pause, retry_after or timedelta(0))


def parse_retry_after(header: str, *, now: datetime) -> timedelta | None:
    """Return the pause that a `Retry-After` header asks for, in seconds or as a date. At most a day; None if it is invalid."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), MAX_RETRY_AFTER)
    moment = _date(text)
    return None if moment is None else min(max(moment - now, timedelta(0)), MAX_RETRY_AFTER)


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def has_failed_too_long(failing_since: datetime | None, *, now: datetime) -> bool:
    return failing_since is not None and now - failing_since >= DISABLE_AFTER


def is_doubtful(failed_at: datetime | None, *, now: datetime) -> bool:
    return failed_at is not None and now - failed_at < DOUBTFUL_FOR


def is_down(failing_since: datetime | None, *, now: datetime) -> bool:
    return failing_since is not None and now - failing_since >= DOWN_AFTER
