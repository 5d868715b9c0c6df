from datetime import UTC, datetime

import pytest
from django.db import DataError, connection

pytestmark = [pytest.mark.django_db, pytest.mark.two_connections]


def read(instant, zone="UTC"):
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        cursor.execute("SELECT %s::timestamptz", [instant])
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    "instant",
    [
        datetime(2026, 2, 14, 10, tzinfo=UTC),
        datetime(2026, 2, 14, 10, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 2, 14, 10, 0, 0, 120_000, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
    ids=str,
)
def test_an_instant_comes_back_as_it_was_and_in_utc(instant):
    found = read(instant)

    assert (found, found.tzinfo) == (instant, UTC)


@pytest.mark.parametrize("zone", ["Europe/Vienna", "Asia/Kathmandu", "America/New_York"])
def test_it_is_the_same_instant_whatever_zone_the_session_is_in(zone):
    instant = datetime(1890, 2, 14, 10, 0, 0, 5, tzinfo=UTC)  # offsets had seconds then

    assert read(instant, zone) == instant


@pytest.mark.parametrize("instant", ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "10000-01-01 00:00:00+00"])
def test_an_instant_that_python_cannot_represent_is_a_database_error(instant):
    with pytest.raises(DataError):
        read(instant)
