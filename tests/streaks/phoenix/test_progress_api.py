"""The progress of users through the query gateway."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from participants.models import Participant
from streaks.models import ParticipantStreak, Status, Streak
from streaks.services import create_streak, record, set_status
from tests.client import Api, phoenix_refusal, segment
from tests.factories import TenantFactory, raw_key
from tests.streaks.phoenix.conftest import NOW
from tests.streaks.phoenix.happening import define, happen, with_value

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ADA = "/streaks/acme/users/ada"
NOT_IN_THE_SPEC = {"longest_count", "at_risk", "definition_config"}
BOTH_PATHS = ["/streaks/acme/users/{user}/{streak}", "/streaks/acme/users/{user}/definitions/{streak}"]


def shown(query):
    (streak,) = query.get(ADA).json()["streaks"]
    return streak


def progress(query):
    streak = shown(query)
    return streak["current_window_progress"], streak["current_window_satisfied"], streak["current_count"]


# --- documented answers -----------------------------------------------------------------------------------------------


@pytest.fixture
def user_of_the_spec(db, example, clock):
    """The user of the documented answers: nine events of a streak that needs four.

    In the documentation, the clock that computed the remaining time was behind the clock of the events.
    """
    documented = example("user_streaks.json")["streaks"][0]
    tenant = TenantFactory(slug=documented["tenant_id"])
    config = {name: documented[name] for name in ("window", "condition", "milestones")} | {"event_types": ["played"]}
    definition = define(
        Api(raw_key(tenant, "admin"), base="/v1"), documented["definition_name"], tenant="streak_test", **config
    )
    Streak.objects.filter(pk=definition["id"]).update(id=documented["definition_id"])
    clock.move_to(datetime.fromisoformat(documented["last_activity_at"]))
    for _ in range(9):
        happen(tenant, documented["user_id"], "played")
    ParticipantStreak.objects.update(id=documented["id"])
    return Api(raw_key(tenant), base="/v1")


def without_more(answer):
    return {name: value for name, value in answer.items() if name not in NOT_IN_THE_SPEC}


def test_the_users_streaks_have_the_documented_shape(user_of_the_spec, example, clock):
    clock.move_to(datetime(2025, 12, 23, 12, 39, 15, tzinfo=UTC))

    answer = user_of_the_spec.get("/streaks/streak_test/users/test_user_1838").json()

    assert [without_more(streak) for streak in answer["streaks"]] == example("user_streaks.json")["streaks"]


@pytest.mark.parametrize("path", BOTH_PATHS)
def test_one_streak_of_the_user_has_the_documented_shape(user_of_the_spec, example, clock, path):
    documented = example("user_streak.json")
    clock.move_to(datetime(2025, 12, 23, 12, 40, 35, tzinfo=UTC))

    path = path.replace("acme", "streak_test").format(user="test_user_1838", streak=documented["definition_id"])
    answer = user_of_the_spec.get(path).json()

    assert without_more(answer) == documented
    assert (answer["longest_count"], answer["at_risk"]) == (1, False)
    parts = {name: documented[name] for name in ("window", "condition", "milestones")}
    assert answer["definition_config"] == {"event_types": ["played"], **parts}


def test_the_active_definitions_have_the_documented_shape(admin, query, example, queries):
    documented = example("active_list.json")["definitions"][0]
    body = {name: documented[name] for name in ("name", "description", "config")}
    record = admin.post("/tenants/acme/streaks", body).json()
    for status in ("paused", "archived"):
        other = define(admin, status)
        admin.send("PUT", f"/tenants/acme/streaks/{other['id']}/status", {"status": status})
    query.get("/streaks/acme/definitions")

    with queries(1):  # the key's
        answer = query.get("/streaks/acme/definitions").json()

    assert answer == {"definitions": [record]}
    assert {**record, **{name: documented[name] for name in ("id", "tenant_id")}} | documented == {
        **documented,
        **{name: record[name] for name in ("created_at", "updated_at")},
    }


# --- windows and their progress ---------------------------------------------------------------------------------------


def test_a_count_advances_event_by_event(admin, query, happens):
    define(admin, condition={"type": "count", "min": 3})

    happens("user.login", times=2)
    two = progress(query)
    happens("user.login")

    assert two == ({"count": 2, "sum": 0.0, "distinct": []}, False, 0)
    assert progress(query) == ({"count": 3, "sum": 0.0, "distinct": []}, True, 1)


def test_a_sum_contains_only_events_that_match_the_expression(admin, query, happens, printed):
    admin.post("/tenants/acme/streaks", printed("points.json"))

    for points in (100, 50.5, 100, 100):
        happens("game.completed", points=points, game_mode="ranked")
    happens("challenge.completed", game_mode="ranked")
    happens("game.completed", points=400, game_mode="tutorial")
    some = progress(query)
    happens("challenge.completed", points=149.5)

    assert some == ({"count": 5, "sum": 350.5, "distinct": []}, False, 0)
    assert progress(query) == ({"count": 6, "sum": 500.0, "distinct": []}, True, 1)


def test_distinct_values_are_shown(admin, query, happens):
    define(admin, event_types=["*"], condition={"type": "distinct", "field": "attrs.mode", "min": 5})

    for mode in ("arcade", "ranked", "arcade", "casual", 7):
        happens("played", mode=mode)

    found, is_satisfied, count = progress(query)
    assert (found["count"], found["sum"], is_satisfied, count) == (5, 0.0, False, 0)
    assert sorted(found["distinct"], key=str) == [7, "arcade", "casual", "ranked"]


def test_a_sum_beyond_the_range_of_json_numbers_does_not_crash(admin, query, happens):
    define(admin, condition={"type": "sum", "field": "points", "min": 5})

    happens("user.login", times=2, points=1.7e308)

    found, is_satisfied, _ = progress(query)
    assert found["sum"] == pytest.approx(1.797e308, rel=1e-3)
    assert is_satisfied


@pytest.mark.parametrize(
    ("window", "key", "seconds"),
    [
        ({"period": "hourly"}, "2026-02-14T10", 3600),
        ({"period": "hourly", "reset_time": "00:30"}, "2026-02-14T09", 1800),
        ({"period": "daily"}, "2026-02-14", 14 * 3600),
        ({"period": "daily", "reset_time": "12:00"}, "2026-02-13", 2 * 3600),
        ({"period": "daily", "timezone": "Asia/Tokyo"}, "2026-02-14", 5 * 3600),
        ({"period": "weekly"}, "2026-W07", 38 * 3600),
        ({"period": "monthly"}, "2026-02", 14 * DAY.total_seconds() + 14 * 3600),
        ({"type": "rolling", "duration_seconds": 90}, "2026-02-14T10:00:00Z", 90),
    ],
)
def test_the_open_window_has_its_key_and_its_end(admin, query, happens, window, key, seconds):
    define(admin, window=window)
    happens("user.login")

    streak = shown(query)

    assert (streak["current_window_key"], streak["seconds_until_window_close"]) == (key, seconds)


def test_seconds_are_whole_and_rounded_down(admin, query, happens, clock):
    define(admin)
    happens("user.login")
    clock.move_to(NOW + timedelta(milliseconds=1))

    assert shown(query)["seconds_until_window_close"] == 14 * 3600 - 1


def test_a_rolling_streak_that_broke_has_no_window(admin, query, happens, clock):
    define(admin, window={"type": "rolling", "duration_seconds": 3600})
    happens("user.login")
    clock.move_to(NOW + 5 * HOUR)

    broken = shown(query)

    assert broken["current_window_key"] is broken["seconds_until_window_close"] is None
    assert broken["current_window_progress"] == {"count": 0, "sum": 0.0, "distinct": []}
    assert (broken["current_window_satisfied"], broken["current_count"], broken["longest_count"]) == (False, 0, 1)


def test_a_new_window_begins_without_progress(admin, query, happens, clock):
    define(admin)
    happens("user.login")
    clock.move_to(NOW + DAY)

    assert progress(query) == ({"count": 0, "sum": 0.0, "distinct": []}, False, 1)


@pytest.mark.parametrize(
    ("condition", "shown_progress"),
    [
        ({"type": "count", "min": 3}, {"count": 3, "sum": 0.0, "distinct": []}),
        ({"type": "sum", "field": "points", "min": 2.5}, {"count": 0, "sum": 2.5, "distinct": []}),
    ],
)
def test_a_window_satisfied_before_a_change_of_the_rules_shows_full_progress(
    admin, query, happens, condition, shown_progress
):
    record = define(admin)
    happens("user.login")

    admin.patch(f"/tenants/acme/streaks/{record['id']}", {"config": with_value("condition", condition)})

    assert progress(query) == (shown_progress, True, 1)


def test_further_events_in_such_a_window_add_to_its_progress(admin, query, happens):
    record = define(admin)
    happens("user.login")
    admin.patch(
        f"/tenants/acme/streaks/{record['id']}", {"config": with_value("condition", {"type": "count", "min": 3})}
    )

    happens("user.login", times=5)

    assert progress(query) == ({"count": 5, "sum": 0.0, "distinct": []}, True, 1)


def test_a_streak_is_at_risk_when_its_lead_begins_until_it_ticks(admin, query, happens, clock):
    define(admin, at_risk_seconds=3600)
    happens("user.login")

    clock.move_to(NOW.replace(day=15, hour=22, minute=59))
    before = shown(query)["at_risk"]
    clock.move_to(NOW.replace(day=15, hour=23))
    risky = shown(query)["at_risk"]
    happens("user.login")

    assert (before, risky, shown(query)["at_risk"]) == (False, True, False)


def test_a_streak_with_a_lead_of_zero_is_never_at_risk(admin, query, happens, clock):
    record = define(admin, at_risk_seconds=0)
    happens("user.login")

    clock.move_to(NOW.replace(day=15, hour=23, minute=59, second=59))

    assert record["config"]["at_risk_seconds"] == 0
    assert (shown(query)["at_risk"], shown(query)["current_count"]) == (False, 1)


# --- milestones -------------------------------------------------------------------------------------------------------

TWO = [{"threshold": 2}, {"threshold": 1, "repeatable": True}]


def test_milestones_are_earned_one_after_the_other_and_repeatable_ones_in_each_run(admin, query, happens, clock):
    define(admin, milestones=TWO)

    results = []
    for day in (0, 1, 5, 6):
        clock.move_to(NOW + day * DAY)
        results.append([shown(query)[name] for name in ("earned_milestones", "next_milestone")] if day else None)
        happens("user.login")
        results.append([shown(query)[name] for name in ("earned_milestones", "next_milestone")])

    assert results == [
        None,
        [[1], 2],
        [[1], 2],
        [[1, 2], None],
        [[2], 1],
        [[1, 2], None],
        [[1, 2], None],
        [[1, 2], None],
    ]


def test_milestones_are_shown_in_the_order_in_which_they_were_configured(admin, query, happens):
    define(admin, milestones=TWO)
    happens("user.login")

    assert [milestone["threshold"] for milestone in shown(query)["milestones"]] == [2, 1]


# --- users and streaks ------------------------------------------------------------------------------------------------


def test_an_unknown_user_has_no_streaks_and_is_not_created(admin, query, nothing_written):
    define(admin)

    with nothing_written():
        answer = query.get("/streaks/acme/users/nobody")

    assert (answer.status_code, answer.json()) == (200, {"streaks": []})
    assert not Participant.objects.exists()


def test_streaks_without_ticks_are_not_listed_and_the_list_needs_three_queries(admin, query, happens, queries):
    for number in range(5):
        define(admin, f"Streak {number}")
    define(admin, "Untouched", event_types=["other"])
    happens("user.login")
    query.get(ADA)

    with queries(3):  # the key's, the participant's, the rows
        streaks = query.get(ADA).json()["streaks"]

    assert [streak["definition_name"] for streak in streaks] == [f"Streak {number}" for number in range(5)]


@pytest.mark.parametrize("path", BOTH_PATHS)
def test_one_streak_costs_three_queries(admin, query, happens, queries, path):
    record = define(admin)
    happens("user.login")
    path = path.format(user="ada", streak=record["id"])
    query.get(path)

    with queries(3):  # the key's, the participant's, the row
        answer = query.get(path).json()

    assert answer == shown(query)


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("path", BOTH_PATHS)
def test_active_and_paused_streaks_are_visible_archived_ones_and_drafts_are_not(
    admin, query, happens, tenant, status, path
):
    record = define(admin)
    happens("user.login")
    set_status(Streak.objects.get(), tenant=tenant, status=status, now=NOW)

    answer = query.get(path.format(user="ada", streak=record["id"]))

    assert answer.status_code == (200 if status in {"active", "paused"} else 404)
    assert len(query.get(ADA).json()["streaks"]) == (status in {"active", "paused"})


@pytest.mark.parametrize("path", BOTH_PATHS)
def test_missing_objects_are_404_with_the_documented_message(admin, query, happens, example, path):
    untouched = define(admin, "Untouched", event_types=["other"])
    touched = define(admin)
    happens("user.login", user="user-12345")
    words = example("query_error.json")["error"]["message"]

    for user, streak in [("user-12345", untouched["id"]), ("user-12345", str(uuid4())), ("bob", touched["id"])]:
        answer = query.get(path.format(user=user, streak=streak))

        expected = words.replace("550e8400-...", streak).replace("user-12345", user)
        assert phoenix_refusal(answer) == (404, "NOT_FOUND", expected)


@pytest.mark.parametrize("path", BOTH_PATHS)
@pytest.mark.parametrize("sent", ["nope", "550e8400-...", "%00", "a%2Fb"])
def test_a_malformed_id_is_400(query, path, sent):
    answer = query.get(path.format(user="ada", streak=sent))

    assert phoenix_refusal(answer) == (400, "INVALID_INPUT", "definition_id: must be a UUID")


def test_an_id_may_be_in_capitals(admin, query, happens):
    record = define(admin)
    happens("user.login")

    assert query.get(f"{ADA}/{record['id'].upper()}").json()["definition_id"] == record["id"]


@pytest.mark.parametrize(
    "user", ["a/b", "auth0|1", "users", "definitions", "100%", "é 字", "a/definitions/b", "..", "%2F"]
)
def test_user_ids_may_contain_any_printable_character(admin, query, happens, user):
    record = define(admin)
    happens("user.login", user=user)
    named = f"/streaks/acme/users/{segment(user)}"

    assert [streak["user_id"] for streak in query.get(named).json()["streaks"]] == [user]
    assert query.get(f"{named}/{record['id']}").json()["user_id"] == user
    assert query.get(f"{named}/definitions/{record['id']}").json()["user_id"] == user


@pytest.mark.parametrize("path", BOTH_PATHS)
def test_a_server_without_raw_paths_finds_streaks_of_plain_ids(admin, query, happens, path):
    record = define(admin)
    happens("user.login")
    query.tells_raw_path = False

    assert query.get(ADA).json()["streaks"][0]["user_id"] == "ada"
    assert query.get(path.format(user="ada", streak=record["id"])).json()["definition_id"] == record["id"]


def test_an_invalid_user_id_is_400(query):
    answer = query.get(f"/streaks/acme/users/{'x' * 256}")

    assert phoenix_refusal(answer) == (400, "INVALID_INPUT", "user_id: must be 1 to 255 characters long")


def test_the_zone_of_the_participant_moves_their_windows(admin, query, happens):
    define(admin, window={"period": "daily", "timezone": "participant"})
    happens("user.login")
    Participant.objects.update(timezone="Pacific/Kiritimati")

    streak = shown(query)

    assert (streak["window"]["timezone"], streak["current_window_key"]) == ("participant", "2026-02-15")


def test_a_direct_tick_adds_progress_too(tenant, query):
    row = create_streak(tenant=tenant, data={"code": "c", "name": "Code", "event_types": ["x"]}, now=NOW)
    tenant.refresh_from_db()
    record(tenant=tenant, participant_id="ada", streak_code="c", at=NOW, now=NOW)

    assert progress(query) == ({"count": 1, "sum": 0.0, "distinct": []}, True, 1)
    assert UUID(shown(query)["definition_id"]) == row.pk
