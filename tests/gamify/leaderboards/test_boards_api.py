"""Boards over HTTP: pages, ranks, periods and refusals."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from gamify.leaderboards.services import fold
from streaks.selectors.due import BREAKS
from streaks.services.sweeps import sweep
from tests.client import refusal, refused_fields
from tests.factories import ParticipantFactory
from tests.gamify.leaderboards.boards import award, create_filled_board, entries_of, page, rank

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.mark.parametrize(("selector", "status"), [
    ({"event_name": None}, 200),
    ({"event_name": None, "filter": None, "field": None, "streak_code": None}, 200),
    (None, 200),
    ({}, 200),
    ({"event_name": ""}, 422),
    ({"event_name": " "}, 422),
    ({"field": ""}, 422),
    ({"streak_code": ""}, 422),
    ({"event_name": 5}, 422),
    ({"event_name": ["login"]}, 422),
])  # fmt: skip
def test_null_selector_values_are_accepted_and_empty_ones_refused(admin_api, selector, status):
    board = {"code": "busy", "name": "Busy", "metric": "event_count"}

    created = admin_api.post("/admin/leaderboards", board | {"selector": selector})
    known = admin_api.post("/admin/leaderboards", board | {"code": "known"}).json()
    changed = admin_api.patch(f"/admin/leaderboards/{known['id']}", {"selector": selector})

    assert (created.status_code, changed.status_code) == (201 if status == 200 else status, status)


def test_a_page_has_the_fields_of_the_specification_and_more(tenant, api):
    create_filled_board(tenant, "top_scorers")
    award(api, "user_456", 5000)
    award(api, "user_123", 4500)

    answer = page(api, "top_scorers", limit=10, period="monthly")

    assert answer == {
        "leaderboard_code": "top_scorers",
        "period": "monthly",
        "period_key": "2026-02",
        "period_start": "2026-02-01T00:00:00Z",
        "period_end": "2026-03-01T00:00:00Z",
        "building": False,
        "build_progress": 1.0,
        "entries": [
            {"rank": 1, "participant_id": "user_456", "display_name": None, "score": 5000, "change": "new"},
            {"rank": 2, "participant_id": "user_123", "display_name": None, "score": 4500, "change": "new"},
        ],
        "total_participants": 2,
    }


def test_a_rank_has_a_percentile(tenant, api):
    create_filled_board(tenant)
    for number in range(1, 9):
        award(api, f"user_{number}", number * 10)

    answer = rank(api, "user_7")

    assert (answer["rank"], answer["score"], answer["total_participants"], answer["percentile"]) == (2, 70, 8, 75.0)
    assert answer["participant_id"] == "user_7"


def test_a_participant_alone_on_the_board_has_percentile_100(tenant, api):
    create_filled_board(tenant)
    award(api, "user_1", 10)

    assert rank(api, "user_1")["percentile"] == 100.0


def test_equal_scores_share_a_rank_and_the_earlier_one_is_listed_first(tenant, api, clock):
    create_filled_board(tenant)
    for name, amount in (("late", 10), ("ada", 30), ("lin", 20), ("bob", 20), ("late", 10), ("zoe", 5)):
        award(api, name, amount)
        clock.shift(1)

    assert entries_of(api) == [(1, "ada", 30), (2, "lin", 20), (2, "bob", 20), (2, "late", 20), (5, "zoe", 5)]


@pytest.mark.parametrize("is_folded", [False, True])
def test_an_answer_includes_earlier_writes_folded_or_not(tenant, api, is_folded):
    create_filled_board(tenant)
    award(api, "user_1", 10)
    award(api, "user_2", 20)
    award(api, "user_1", 15)

    if is_folded:
        fold(tenant=tenant, now=NOW)

    assert entries_of(api) == [(1, "user_1", 25), (2, "user_2", 20)]
    assert rank(api, "user_2")["rank"] == 2


def test_a_period_ends_at_local_midnight_and_stays_readable(tenant, api, clock):
    create_filled_board(tenant, timezone="Asia/Tokyo", time_window="daily")
    clock.move_to(datetime(2026, 2, 14, 14, 59, 59, tzinfo=UTC))
    award(api, "user_1", 10)
    clock.move_to(datetime(2026, 2, 14, 15, 0, tzinfo=UTC))
    award(api, "user_2", 20)

    assert entries_of(api) == [(1, "user_2", 20)]
    assert page(api)["period_key"] == "2026-02-15"
    assert page(api)["period_start"] == "2026-02-14T15:00:00Z"
    assert entries_of(api, period_key="2026-02-14") == [(1, "user_1", 10)]
    assert entries_of(api, period="weekly", period_key="2026-W07") == [(1, "user_2", 20), (2, "user_1", 10)]
    assert entries_of(api, period="yearly") == [(1, "user_2", 20), (2, "user_1", 10)]


def test_a_page_around_a_participant_has_them_in_the_middle_and_is_full_at_the_ends(tenant, api):
    create_filled_board(tenant)
    for number in range(1, 10):
        award(api, f"user_{number}", number)

    assert [name for _, name, _ in entries_of(api, around="user_5", limit=3)] == ["user_6", "user_5", "user_4"]
    assert [name for _, name, _ in entries_of(api, around="user_9", limit=3)] == ["user_9", "user_8", "user_7"]
    assert entries_of(api, around="user_1", limit=3) == [(7, "user_3", 3), (8, "user_2", 2), (9, "user_1", 1)]


def test_a_page_around_a_participant_who_is_not_on_the_board_is_empty(tenant, api):
    create_filled_board(tenant)
    award(api, "user_1", 1)
    ParticipantFactory(tenant=tenant, external_id="user_2")

    assert page(api, around="user_2")["entries"] == []
    assert refusal(api.get("/leaderboards/top?around=nobody"))[:2] == (404, "participant_not_found")


def test_an_offset_skips_rows_and_beyond_the_end_a_page_is_empty(tenant, api):
    create_filled_board(tenant)
    for number in range(1, 6):
        award(api, f"user_{number}", number)

    assert entries_of(api, offset=3, limit=1) == [(4, "user_2", 2)]
    assert page(api, offset=5)["entries"] == []
    assert page(api, offset=1_000_000_000)["total_participants"] == 5


def test_change_compares_with_the_end_of_the_previous_period(tenant, api, clock):
    create_filled_board(tenant, time_window="weekly")
    for name, amount in (("ada", 30), ("lin", 20), ("bob", 10)):
        award(api, name, amount)
    clock.shift(timedelta(days=7))
    for name, amount in (("ada", 10), ("lin", 20), ("bob", 5), ("zoe", 1)):
        award(api, name, amount)

    changes = {entry["participant_id"]: entry["change"] for entry in page(api)["entries"]}
    assert changes == {"lin": "up", "ada": "down", "bob": "same", "zoe": "new"}


def test_change_of_all_time_compares_with_the_start_of_today(tenant, api, clock):
    create_filled_board(tenant)
    for name, amount in (("ada", 30), ("lin", 20), ("bob", 10)):
        award(api, name, amount)
    clock.shift(timedelta(days=1))
    award(api, "lin", 15)
    award(api, "zoe", 1)

    changes = {entry["participant_id"]: entry["change"] for entry in page(api)["entries"]}
    assert changes == {"lin": "up", "ada": "down", "bob": "same", "zoe": "new"}


def test_the_rank_of_a_participant_without_a_score_is_200_and_of_an_unknown_one_404(tenant, api):
    create_filled_board(tenant)
    award(api, "user_1", 5)
    ParticipantFactory(tenant=tenant, external_id="user_2")

    answer = rank(api, "user_2")
    assert (answer["rank"], answer["percentile"], answer["score"], answer["total_participants"]) == (None, None, 0, 1)
    assert refusal(api.get("/leaderboards/top/rank/nobody")) == (
        404,
        "participant_not_found",
        "Participant not found: nobody",
    )


def test_a_hidden_participant_disappears_at_once_and_returns_with_their_score(tenant, api):
    create_filled_board(tenant)
    for name, amount in (("ada", 30), ("lin", 20)):
        award(api, name, amount)

    assert api.patch("/participants/ada", {"visible": False}).json()["visible"] is False
    assert entries_of(api) == [(1, "lin", 20)]
    assert rank(api, "ada")["rank"] is None
    fold(tenant=tenant, now=NOW)
    assert entries_of(api) == [(1, "lin", 20)]
    award(api, "ada", 5)
    api.patch("/participants/ada", {"visible": True})
    assert entries_of(api) == [(1, "ada", 35), (2, "lin", 20)]


@pytest.mark.parametrize("anonymize", ["true", "false"])
def test_a_deleted_or_anonymised_participant_disappears_at_once(tenant, api, admin_api, anonymize):
    create_filled_board(tenant)
    for name, amount in (("ada", 30), ("lin", 20)):
        award(api, name, amount)
    fold(tenant=tenant, now=NOW)

    admin_api.delete(f"/admin/participants/ada?anonymize={anonymize}")

    assert entries_of(api) == [(1, "lin", 20)]
    fold(tenant=tenant, now=NOW)
    assert entries_of(api) == [(1, "lin", 20)]
    assert page(api)["total_participants"] == 1


def test_a_new_member_enters_with_their_current_scores_and_a_leaving_one_loses_them(tenant, api, clock):
    create_filled_board(tenant, participant_filter={"team": "red"})
    award(api, "ada", 30)
    award(api, "lin", 20)
    api.patch("/participants/lin", {"attributes": {"team": "red"}})
    assert entries_of(api) == [(1, "lin", 20)]

    api.patch("/participants/ada", {"attributes": {"team": "red"}})
    award(api, "ada", 5)
    assert entries_of(api) == [(1, "ada", 35), (2, "lin", 20)]
    fold(tenant=tenant, now=NOW)
    api.patch("/participants/lin", {"attributes": {"team": "blue"}})

    assert entries_of(api, period="daily") == [(1, "ada", 35)]
    fold(tenant=tenant, now=NOW)
    assert entries_of(api, period="daily") == [(1, "ada", 35)]


def test_events_count_at_their_own_time_and_by_their_properties(tenant, api):
    selector = {"event_name": "purchase", "filter": {"plan": "pro"}, "field": "amount"}
    create_filled_board(tenant, metric="event_sum", selector=selector)
    for name, properties in (
        ("ada", {"plan": "pro", "amount": 49.99}),
        ("ada", {"plan": "free", "amount": 1000}),
        ("lin", {"plan": "pro", "amount": 100}),
    ):
        api.post("/events", {"participant_id": name, "event_name": "purchase", "properties": properties})
    late = {"plan": "pro", "amount": 0.02}
    body = {"participant_id": "ada", "event_name": "purchase", "properties": late, "timestamp": "2025-12-31T23:59:59Z"}
    api.post("/events", body)

    assert entries_of(api) == [(1, "lin", 100), (2, "ada", 50.01)]
    assert entries_of(api, period="yearly") == [(1, "lin", 100), (2, "ada", 49.99)]
    assert entries_of(api, period="yearly", period_key="2025") == [(1, "ada", 0.02)]


def test_a_balance_can_fall_and_zero_is_not_listed(tenant, api):
    create_filled_board(tenant, metric="points_balance")
    award(api, "ada", 30)
    award(api, "lin", 20)
    api.post("/points/deduct", {"participant_id": "ada", "amount": 15, "reason": "r"})
    assert entries_of(api) == [(1, "lin", 20), (2, "ada", 15)]

    api.post("/points/deduct", {"participant_id": "ada", "amount": 15, "reason": "r"})

    assert entries_of(api) == [(1, "lin", 20)]


def test_streaks_are_ranked_by_current_or_longest_length(tenant, api, admin_api, clock):
    admin_api.post("/admin/streaks", {"code": "login", "name": "Login"})
    tenant.refresh_from_db()
    create_filled_board(tenant, "now", metric="streak_current", selector={"streak_code": "login"})
    create_filled_board(tenant, "ever", metric="streak_longest", selector={"streak_code": "login"})
    for _ in range(3):
        api.post("/streaks/record", {"participant_id": "ada", "streak_code": "login"})
        clock.shift(timedelta(days=1))
    api.post("/streaks/record", {"participant_id": "lin", "streak_code": "login"})

    assert entries_of(api, "now") == [(1, "ada", 3), (2, "lin", 1)]
    clock.shift(timedelta(days=1))
    sum(sweep(tenant=tenant, kind=BREAKS, now=timezone.now()))
    assert entries_of(api, "now") == [(1, "lin", 1)]
    assert entries_of(api, "ever") == [(1, "ada", 3), (2, "lin", 1)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("period=hourly", "period"),
        ("period=weekly&period_key=2026-02", "period_key"),
        ("period=weekly&period_key=2026-W54", "period_key"),
        ("period=daily&period_key=2026-02-30", "period_key"),
        ("period=daily&period_key=0000-01-01", "period_key"),
        ("period=yearly&period_key=٢٠٢٦", "period_key"),
        ("period_key=2026", "period_key"),
        ("around=%00", "around"),
    ],
)
def test_an_invalid_query_is_refused(tenant, api, query, field):
    create_filled_board(tenant)

    assert refused_fields(api.get(f"/leaderboards/top?{query}")) == [field]


def test_a_board_of_balances_has_no_weekly_period(tenant, api):
    create_filled_board(tenant, metric="points_balance")

    assert refused_fields(api.get("/leaderboards/top?period=weekly")) == ["period"]


def test_an_unknown_board_an_inactive_one_and_another_tenants_are_not_found(tenant, api, admin_api, other_api):
    board = create_filled_board(tenant)

    assert refusal(api.get("/leaderboards/none")) == (404, "leaderboard_not_found", "Leaderboard not found: none")
    assert other_api.get("/leaderboards/top").status_code == 404
    assert admin_api.delete(f"/admin/leaderboards/{board.pk}").json() == {"message": "Leaderboard deactivated"}
    assert api.get("/leaderboards/top").status_code == 404


def test_participants_of_another_tenant_are_on_its_own_board(tenant, other_tenant, api, other_api):
    create_filled_board(tenant)
    create_filled_board(other_tenant)
    award(api, "user_1", 10)
    award(other_api, "user_2", 20)

    assert entries_of(api) == [(1, "user_1", 10)]
    assert entries_of(other_api) == [(1, "user_2", 20)]


def test_a_page_and_a_rank_cost_two_queries(tenant, api, queries):
    create_filled_board(tenant)
    for number in range(30):
        award(api, f"user_{number}", number + 1)
    fold(tenant=tenant, now=NOW)
    for query in ({}, {"around": "user_3"}):
        page(api, **query)  # fills the cache of earlier ranks

    with queries(2):  # the key, and the page
        page(api, limit=20)
    with queries(2):
        page(api, around="user_3")
    with queries(2):
        rank(api, "user_3")


def test_a_board_of_balances_ignores_expired_points_before_the_sweep(tenant, api, clock):
    create_filled_board(tenant, metric="points_balance")
    api.post("/points/award", {"participant_id": "user_1", "amount": 10, "expires_in_days": 1})
    award(api, "user_2", 5)
    assert entries_of(api) == [(1, "user_1", 10), (2, "user_2", 5)]

    clock.shift(timedelta(days=1))

    assert entries_of(api) == [(1, "user_2", 5)]
