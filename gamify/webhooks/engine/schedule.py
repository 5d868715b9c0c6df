"""When a delivery that failed is tried again (contract §14): ten tries over about three days."""

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
"""After failing for so long without a success in between, an endpoint is disabled."""
DOUBTFUL_FOR = timedelta(minutes=1)
"""So long after a failure an endpoint is not trusted with all threads, whatever it has taken since: it may hang now and then."""
DOWN_AFTER = timedelta(seconds=10)
"""After failing for so long without a success, one try at a time is enough to see whether it is back."""


def next_try_at(*, tries: int, at: datetime, chance: float, retry_after: timedelta | None = None) -> datetime | None:
    """When to try again after `tries` tries, the last at `at`; None when that was the last of all.

    `chance`, in [0, 1), spreads pauses by ± 20 %, so that what failed together does not come back together. The endpoint's own
    wish (`Retry-After`) can only put it off.
    """
    if tries >= MAX_TRIES:
        return None
    pause = PAUSES[tries - 1] * (1 - JITTER + 2 * JITTER * chance)
    return at + max(pause, retry_after or timedelta(0))


def parse_retry_after(header: str, *, now: datetime) -> timedelta | None:
    """What a `Retry-After` header asks for, in seconds or as a date; at most a day, None for what is neither."""
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
