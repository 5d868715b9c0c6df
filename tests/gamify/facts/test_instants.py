from datetime import UTC, datetime, timedelta, timezone

import pytest

from gamify.facts.engine.instants import check_instant
from participants.errors import InvalidInput

pytestmark = pytest.mark.engine

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "at", [NOW, NOW + timedelta(minutes=5), NOW - timedelta(days=9999), datetime(1970, 1, 1, tzinfo=UTC)]
)
def test_the_past_and_a_clock_that_runs_a_little_ahead_are_taken(at):
    check_instant(at, now=NOW)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        (NOW + timedelta(minutes=5, microseconds=1), "timestamp: Must not be more than 5 minutes in the future."),
        (datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=12))), "timestamp: Must not be more than 5"),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), "timestamp: Must not be before 1970."),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=12))), "timestamp: Must not be before 1970."),
    ],
)
def test_the_future_and_the_time_before_clocks_are_refused(at, message):
    with pytest.raises(InvalidInput, match=f"^{message}"):
        check_instant(at, now=NOW)
