"""`change` around midnight: waiting changes of two days, late events, and clocks that are ahead or behind."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gamify.leaderboards.services import fold
from gamify.points.services import Change
from gamify.points.services import award as award_points
from participants.services.participants import register
from tests.gamify.leaderboards.boards import create_filled_board, page
from tests.gamify.leaderboards.oracle import naive_page

NOON = datetime(2026, 2, 26, 12, tzinfo=UTC)
BEFORE = datetime(2026, 2, 26, 23, 59, 59, tzinfo=UTC)
AFTER = BEFORE + timedelta(seconds=3)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def award(tenant, at, **amounts):
    for who, amount in amounts.items():
        award_points(tenant=tenant, change=Change(who, amount), now=at)


def event(api, who, at):
    body = {"participant_id": who, "event_name": "buy", "timestamp": at.isoformat()}
    assert api.post("/events", body).status_code == 200


def changes(api, **query):
    return {each["participant_id"]: each["change"] for each in page(api, **query)["entries"]}


@pytest.mark.parametrize("folds", [False, True])
@pytest.mark.parametrize("metric", ["points_earned", "points_balance"])
def test_changes_of_two_days_may_wait_together(tenant, api, clock, metric, folds):
    board = create_filled_board(tenant, metric=metric)
    award(tenant, NOON, a=100, b=120)
    clock.move_to(NOON + DAY)
    award(tenant, NOON + DAY, a=50)

    if folds:
        fold(tenant=tenant, now=NOON + DAY)

    assert page(api)["entries"] == naive_page(board, "all_time", now=NOON + DAY)["entries"]
    assert changes(api) == {"a": "up", "b": "down"}


@pytest.mark.parametrize("metric", ["points_earned", "points_balance"])
def test_a_late_award_of_yesterday_raises_the_score_at_the_start_of_today(tenant, api, clock, metric):
    board = create_filled_board(tenant, metric=metric)
    award(tenant, BEFORE, a=100, b=120, c=115)
    fold(tenant=tenant, now=AFTER)
    clock.move_to(AFTER)
    award(tenant, AFTER, a=10)
    fold(tenant=tenant, now=AFTER)
    assert changes(api) == {"b": "same", "c": "same", "a": "same"}

    award(tenant, BEFORE, a=18)  # so the day began with 118, between the two others
    fold(tenant=tenant, now=AFTER)

    assert page(api)["entries"] == naive_page(board, "all_time", now=AFTER)["entries"]
    assert changes(api) == {"a": "up", "b": "down", "c": "same"}


def test_a_fold_with_a_clock_that_is_behind_changes_the_closed_period(tenant, api, clock):
    create_filled_board(tenant)
    award(tenant, BEFORE, a=100, b=120)
    clock.move_to(AFTER)
    award(tenant, AFTER, a=10)
    fold(tenant=tenant, now=AFTER)
    assert changes(api, period="daily") == {"a": "up"}

    award(tenant, BEFORE, a=100)
    fold(tenant=tenant, now=BEFORE)

    assert changes(api, period="daily") == {"a": "same"}


def test_tomorrow_is_compared_with_today_while_today_is_still_open(tenant, api, clock):
    now = datetime(2026, 2, 26, 23, 57, tzinfo=UTC)
    clock.move_to(now)
    create_filled_board(tenant, metric="event_count")

    tomorrow = {"period": "daily", "period_key": "2026-02-27"}
    event(api, "a", now + timedelta(minutes=4))
    for who in ("a", "b", "b"):
        event(api, who, now)
    fold(tenant=tenant, now=now)
    assert changes(api, **tomorrow) == {"a": "up"}

    event(api, "a", now)
    event(api, "a", now)
    fold(tenant=tenant, now=now)

    assert changes(api, **tomorrow) == {"a": "same"}


def test_a_member_who_joins_after_midnight_enters_the_new_day_even_if_the_fold_began_before(tenant, api, clock):
    create_filled_board(tenant, participant_filter={"team": "red"})
    award(tenant, BEFORE, a=100)
    clock.move_to(AFTER)
    award(tenant, AFTER, a=10)
    fold(tenant=tenant, now=AFTER)
    register(tenant=tenant, external_id="a", changes={"attributes": {"team": "red"}}, now=AFTER)

    fold(tenant=tenant, now=BEFORE)

    assert [each["score"] for each in page(api, period="daily")["entries"]] == [10]
    assert page(api, period="daily", period_key="2026-02-26")["entries"] == []


@pytest.mark.parametrize("folds", [False, True])
def test_events_of_yesterday_that_arrive_today_do_not_make_a_participant_new(tenant, api, clock, folds):
    board = create_filled_board(tenant, metric="event_count")
    clock.move_to(NOON + DAY)
    for who in ("a", "a", "b"):
        event(api, who, NOON)

    if folds:
        fold(tenant=tenant, now=NOON + DAY)

    assert changes(api) == {"a": "same", "b": "same"}
    filled_again = create_filled_board(tenant, "later", metric="event_count", now=NOON + DAY)
    assert page(api, "later")["entries"] == naive_page(filled_again, "all_time", now=NOON + DAY)["entries"]
    assert page(api)["entries"] == naive_page(board, "all_time", now=NOON + DAY)["entries"]


@pytest.mark.parametrize("folds", [False, True])
def test_a_late_event_moves_the_standing_at_the_start_of_today(tenant, api, clock, folds):
    create_filled_board(tenant, metric="event_count")
    event(api, "a", NOON)
    clock.move_to(NOON + DAY)
    for who in ("b", "b"):
        event(api, who, NOON + DAY)
    assert changes(api) == {"b": "new", "a": "down"}

    event(api, "b", NOON)
    event(api, "b", NOON)
    if folds:
        fold(tenant=tenant, now=NOON + DAY)

    assert changes(api) == {"b": "same", "a": "same"}


@pytest.mark.parametrize("folds", [False, True])
def test_an_event_with_a_timestamp_after_midnight_counts_for_tomorrow(tenant, api, clock, folds):
    board = create_filled_board(tenant, metric="event_count")
    clock.move_to(BEFORE)
    event(api, "a", BEFORE)
    for _ in range(2):
        event(api, "b", AFTER)  # tomorrow
    if folds:
        fold(tenant=tenant, now=BEFORE)
    for who in ("b", "a", "a"):
        event(api, who, BEFORE)
    if folds:
        fold(tenant=tenant, now=BEFORE)
    assert page(api)["entries"] == naive_page(board, "all_time", now=BEFORE)["entries"]

    clock.move_to(AFTER)

    assert page(api)["entries"] == naive_page(board, "all_time", now=AFTER)["entries"]
    assert changes(api) == {"a": "same", "b": "up"}  # 3 each; the day began with 3 and 1
