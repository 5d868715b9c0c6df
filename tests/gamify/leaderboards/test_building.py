"""Boards that are filled from a history, boards that change, and their commands and tasks."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import transaction

from gamify.leaderboards.models import Leaderboard, Score, ScoreChange, ScoreRange
from gamify.leaderboards.selectors import boards_in, build_progress
from gamify.leaderboards.services import build, create_leaderboard, drifts, fold, sweep, update_leaderboard
from gamify.leaderboards.services.building import next_size
from gamify.leaderboards.tasks import build_one, build_waiting, fold_waiting, sweep_all
from participants.catalog import catalog_of
from participants.services.participants import anonymize
from tests.client import refused_fields
from tests.console import Console
from tests.gamify.leaderboards.boards import award, create_filled_board, entries_of, fill, page

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
BOARDS = "/admin/leaderboards"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_a_new_board_has_building_true_until_it_is_filled(tenant, api, admin_api):
    award(api, "user_1", 10)
    answer = admin_api.post(BOARDS, {"code": "top", "name": "Top"})
    assert (answer.status_code, answer.json()["building"]) == (201, True)
    award(api, "user_2", 20)

    assert page(api)["building"] is True
    build_waiting()

    assert page(api)["building"] is False
    assert entries_of(api) == [(1, "user_2", 20), (2, "user_1", 10)]
    fold_waiting()
    assert entries_of(api) == [(1, "user_2", 20), (2, "user_1", 10)]
    assert not ScoreChange.objects.exists()


@pytest.fixture
def builds_sent(monkeypatch):
    """The ids of the boards for which a worker was woken."""
    sent: list[str] = []
    broker = SimpleNamespace(send_task=lambda task, args, **_: sent.extend(args))
    monkeypatch.setattr("participants.messages.current_app", broker)
    return sent


@pytest.mark.parametrize(
    "changes", [{"metric": "points_balance"}, {"timezone": "Asia/Tokyo"}, {"participant_filter": {"team": "red"}}]
)
def test_a_worker_is_woken_when_a_board_is_created_and_when_it_measures_something_else(
    tenant, admin_api, builds_sent, django_capture_on_commit_callbacks, changes
):
    with django_capture_on_commit_callbacks(execute=True):
        board_id = admin_api.post(BOARDS, {"code": "top", "name": "Top"}).json()["id"]
        assert builds_sent == []  # not before the commit
    assert builds_sent == [board_id]

    with django_capture_on_commit_callbacks(execute=True):
        admin_api.patch(f"{BOARDS}/{board_id}", changes)
        assert builds_sent == [board_id]
    assert builds_sent == [board_id] * 2


def test_a_worker_is_woken_when_a_board_is_activated_but_not_when_it_is_renamed(
    tenant, admin_api, builds_sent, django_capture_on_commit_callbacks
):
    row = create_filled_board(tenant)
    with django_capture_on_commit_callbacks(execute=True):
        admin_api.patch(f"{BOARDS}/{row.pk}", {"name": "Best"})
        admin_api.delete(f"{BOARDS}/{row.pk}")
    assert builds_sent == []

    with django_capture_on_commit_callbacks(execute=True):
        admin_api.patch(f"{BOARDS}/{row.pk}", {"is_active": True})

    assert builds_sent == [str(row.pk)]


def test_no_worker_is_woken_for_a_board_that_is_rolled_back_or_refused(
    tenant, admin_api, builds_sent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        assert admin_api.post(BOARDS, {"code": "x", "name": "X", "timezone": "Mars/Olympus"}).status_code == 422
        with transaction.atomic():
            create_leaderboard(tenant=tenant, data={"code": "top", "name": "Top"}, now=NOW)
            transaction.set_rollback(True)

    assert builds_sent == []
    assert not Leaderboard.objects.exists()


def test_the_task_that_is_sent_fills_the_board(tenant, api):
    award(api, "user_1", 10)
    row = create_leaderboard(tenant=tenant, data={"code": "top", "name": "Top"}, now=NOW)

    build_one(str(row.pk))

    assert (page(api)["building"], entries_of(api)) == (False, [(1, "user_1", 10)])


def test_progress_rises_from_0_to_1_and_continues_after_a_worker_was_killed(tenant, api, admin_api, monkeypatch):
    monkeypatch.setattr("gamify.leaderboards.services.building.CHUNK", 1)
    for number in range(4):
        award(api, f"user_{number}", 10)
    row = create_leaderboard(tenant=tenant, data={"code": "top", "name": "Top"}, now=NOW)

    seen = [_progress(api, admin_api, row)]
    for worker in (build(board=row, now=NOW), build(board=row, now=NOW)):
        for _ in range(2):
            next(worker)
            seen.append(_progress(api, admin_api, row))
        worker.close()  # as if it was killed
    assert list(build(board=row, now=NOW)) == []
    seen.append(_progress(api, admin_api, row))

    assert seen == [(True, 0.0), (True, 0.25), (True, 0.5), (True, 0.75), (True, 0.99), (False, 1.0)]


def _progress(api, admin_api, row):
    """`building` and `build_progress`, which are the same in all answers."""
    answers = [page(api), api.get("/leaderboards/top/rank/user_1").json(), admin_api.get(f"{BOARDS}/{row.pk}").json()]
    [found] = {(answer["building"], answer["build_progress"]) for answer in answers}
    return found


def test_participants_who_come_or_go_while_a_board_is_filled_leave_its_progress_between_0_and_1(
    tenant, api, admin_api, monkeypatch
):
    monkeypatch.setattr("gamify.leaderboards.services.building.CHUNK", 1)
    for number in range(2):
        award(api, f"user_{number}", 10)
    row = create_leaderboard(tenant=tenant, data={"code": "top", "name": "Top"}, now=NOW)
    worker = build(board=row, now=NOW)
    next(worker)
    for number in range(2, 5):
        award(api, f"user_{number}", 10)

    seen = [_progress(api, admin_api, row) for _ in worker]

    assert seen == [(True, 0.99)] * 4
    assert _progress(api, admin_api, row) == (False, 1.0)


def test_a_board_that_the_previous_release_began_to_fill_has_progress(tenant, api, admin_api, monkeypatch):
    monkeypatch.setattr("gamify.leaderboards.services.building.CHUNK", 1)
    for number in range(4):
        award(api, f"user_{number}", 10)
    row = create_leaderboard(tenant=tenant, data={"code": "top", "name": "Top"}, now=NOW)
    next(build(board=row, now=NOW))
    Leaderboard.objects.update(people_filled=0, people_to_fill=None)  # columns that it does not know
    assert _progress(api, admin_api, row) == (True, 0.0)

    next(build(board=row, now=NOW))

    assert _progress(api, admin_api, row) == (True, 0.5)


def test_a_complete_board_costs_no_statement_for_its_progress(tenant, api, django_assert_num_queries):
    row = create_filled_board(tenant)
    tenant.refresh_from_db()
    board = boards_in(catalog_of(tenant)).active[row.code]

    with django_assert_num_queries(0):
        assert build_progress(tenant, board) == 1.0


def test_the_console_shows_how_far_a_board_is(tenant, api, monkeypatch):
    monkeypatch.setattr("gamify.leaderboards.services.building.CHUNK", 1)
    for number in range(4):
        award(api, f"user_{number}", 10)
    row = create_leaderboard(tenant=tenant, data={"code": "top", "name": "Top"}, now=NOW)
    next(build(board=row, now=NOW))

    console = Console(tenant)
    listed = console.get("leaderboards_leaderboard_changelist").content.decode()
    shown = console.get("leaderboards_leaderboard_change", row.pk).content.decode()

    assert "building, 25%" in listed
    assert "The board is being filled from the history (25%)." in shown


def test_awards_during_filling_count_once(tenant, api, monkeypatch):
    monkeypatch.setattr("gamify.leaderboards.services.building.CHUNK", 1)
    for name in ("user_1", "user_2", "user_3"):
        award(api, name, 10)
    row = create_leaderboard(tenant=tenant, data={"code": "top", "name": "Top"}, now=NOW)

    for step, _ in enumerate(build(board=row, now=NOW)):
        award(api, f"user_{step % 3 + 1}", 1)
        award(api, "user_3", 1)
        award(api, f"late_{step}", 5)
        if step > 5:
            break
    fill(row, now=NOW)

    expected = {each["participant_id"]: each["score"] for each in page(api)["entries"]}
    earned = {name: api.get(f"/participants/{name}/points").json()["total_earned"] for name in expected}
    assert expected == earned
    tenant.refresh_from_db()
    assert list(drifts(tenant=tenant, now=NOW)) == []


@pytest.mark.parametrize(
    "changes",
    [{"metric": "points_balance"}, {"timezone": "Asia/Tokyo"}, {"participant_filter": {"team": "red"}}],
)
def test_a_board_that_measures_something_else_is_filled_again(tenant, api, admin_api, changes):
    row = create_filled_board(tenant)
    award(api, "user_1", 10)

    answer = admin_api.patch(f"{BOARDS}/{row.pk}", changes)

    assert answer.json()["building"] is True
    build_waiting()
    assert entries_of(api) == ([] if "participant_filter" in changes else [(1, "user_1", 10)])


def test_a_new_name_or_default_period_does_not_fill_the_board_again(tenant, api, admin_api):
    row = create_filled_board(tenant)

    answer = admin_api.patch(f"{BOARDS}/{row.pk}", {"name": "Best", "time_window": "daily", "metric": "points_earned"})

    assert answer.json()["building"] is False
    assert page(api)["period"] == "daily"


def test_a_reactivated_board_includes_awards_of_the_meantime(tenant, api, admin_api):
    row = create_filled_board(tenant)
    award(api, "user_1", 10)
    admin_api.delete(f"{BOARDS}/{row.pk}")
    award(api, "user_1", 10)

    admin_api.patch(f"{BOARDS}/{row.pk}", {"is_active": True})
    build_waiting()

    assert entries_of(api) == [(1, "user_1", 20)]


def test_the_sweep_deletes_only_scores_that_no_board_uses(tenant, api, clock):
    row = create_filled_board(tenant)
    award(api, "user_1", 10)
    fold(tenant=tenant, now=NOW)
    update_leaderboard(row, tenant=tenant, changes={"timezone": "Asia/Tokyo"}, now=NOW)
    fill(row, now=NOW)
    clock.shift(timedelta(days=9))

    sweep_all()

    assert set(Score.objects.values_list("track", flat=True)) == {row.track}
    assert set(ScoreRange.objects.values_list("track", flat=True)) == {row.track}
    assert Score.objects.count() == 5
    assert entries_of(api) == [(1, "user_1", 10)]
    assert sum(sweep(tenant=tenant, now=NOW + timedelta(days=9))) == 0


def test_the_commands_rebuild_and_verify_boards(tenant, api):
    create_filled_board(tenant)
    award(api, "user_1", 10)
    fold(tenant=tenant, now=NOW)
    Score.objects.filter(period=0).update(score=7)

    with pytest.raises(SystemExit):
        call_command("verify_ledger", tenant="acme")
    out = StringIO()
    call_command("rebuild_leaderboards", "--json", tenant="acme", stdout=out)

    assert json.loads(out.getvalue()) == {"leaderboards": ["top"], "looked_at": 1}
    out = StringIO()
    call_command("verify_ledger", "--json", tenant="acme", stdout=out)
    assert json.loads(out.getvalue())["drifts"] == 0
    with pytest.raises(CommandError, match="Leaderboard not found: none"):
        call_command("rebuild_leaderboards", tenant="acme", board="none")


def test_the_audit_finds_a_wrong_count_of_a_range(tenant, api):
    create_filled_board(tenant)
    award(api, "user_1", 10)
    fold(tenant=tenant, now=NOW)
    ScoreRange.objects.filter(level=0, period=0).update(count=3)

    assert [(drift.stored, drift.expected) for drift in drifts(tenant=tenant, now=NOW)] == [(3, 1), (1, 3)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"metric": "luck"}, "metric"),
        ({"metric": "points_balance", "time_window": "weekly"}, "time_window"),
        ({"metric": "streak_current"}, "selector.streak_code"),
        ({"metric": "streak_current", "selector": {"streak_code": "none"}}, "selector.streak_code"),
        ({"metric": "event_sum", "selector": {"event_name": "buy"}}, "selector.field"),
        ({"metric": "event_sum", "selector": {"field": "a..b"}}, "selector.field"),
        ({"metric": "event_count", "selector": {"filter": {"a": {"like": 1}}}}, "selector.filter.a.like"),
        ({"metric": "event_count", "selector": 7}, "selector"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"participant_filter": []}, "participant_filter"),
        ({"time_window": "hourly"}, "time_window"),
    ],
)
def test_an_invalid_definition_is_refused(tenant, admin_api, nothing_written, body, field):
    with nothing_written():
        assert refused_fields(admin_api.post(BOARDS, {"code": "x", "name": "X", **body})) == [field]


def test_another_tenant_cannot_read_a_board_and_a_code_is_unique(tenant, admin_api, other_admin_api):
    row = create_filled_board(tenant)

    assert other_admin_api.get(f"{BOARDS}/{row.pk}").status_code == 404
    assert admin_api.post(BOARDS, {"code": "top", "name": "Top"}).json()["code"] == "leaderboard_code_conflict"
    assert Leaderboard.objects.count() == 1


def test_an_anonymised_participant_is_not_a_drift(tenant, api):
    create_filled_board(tenant, metric="event_sum", selector={"event_name": "buy", "field": "price"})
    api.post("/events", {"participant_id": "user_1", "event_name": "buy", "properties": {"price": 5}})
    fold(tenant=tenant, now=NOW)

    anonymize(tenant=tenant, external_id="user_1", now=NOW)

    fold(tenant=tenant, now=NOW)
    assert entries_of(api) == []
    assert list(drifts(tenant=tenant, now=NOW)) == []


def test_filling_continues_after_the_last_participant_who_was_filled(tenant, api, monkeypatch):
    monkeypatch.setattr("gamify.leaderboards.services.building.CHUNK", 2)
    for number in range(5):
        award(api, f"user_{number}", 10)
    row = create_leaderboard(tenant=tenant, data={"code": "top", "name": "Top"}, now=NOW)
    worker = build(board=row, now=NOW)
    assert next(worker) == 2
    worker.close()  # for example because its time is over

    assert list(build(board=row, now=NOW)) == [2, 1]

    assert [score for _, _, score in entries_of(api)] == [10] * 5
    assert list(build(board=row, now=NOW)) == []


def test_a_board_that_changes_while_it_is_filled_is_filled_for_the_new_definition(tenant, api, monkeypatch):
    monkeypatch.setattr("gamify.leaderboards.services.building.CHUNK", 1)
    for number in range(3):
        award(api, f"user_{number}", 10)
    row = create_leaderboard(tenant=tenant, data={"code": "top", "name": "Top"}, now=NOW)
    worker = build(board=row, now=NOW)
    next(worker)

    selector = {"event_name": "buy"}
    update_leaderboard(row, tenant=tenant, changes={"metric": "event_count", "selector": selector}, now=NOW)
    assert list(worker) == [1, 1, 1]

    assert (page(api)["building"], entries_of(api)) == (False, [])


def test_a_board_that_is_deactivated_while_it_is_filled_stays_incomplete(tenant, api, monkeypatch):
    monkeypatch.setattr("gamify.leaderboards.services.building.CHUNK", 1)
    for number in range(3):
        award(api, f"user_{number}", 10)
    row = create_leaderboard(tenant=tenant, data={"code": "top", "name": "Top"}, now=NOW)
    worker = build(board=row, now=NOW)
    next(worker)

    update_leaderboard(row, tenant=tenant, changes={"is_active": False}, now=NOW)

    assert list(worker) == []
    row.refresh_from_db()
    assert row.built_at is None


@pytest.mark.parametrize(
    ("size", "seconds", "following"),
    [(200, 0.1, 400), (800, 0.1, 1000), (1000, 0.6, 500), (300, 0.6, 200), (200, 9.0, 200)],
)
def test_chunks_grow_while_locks_are_short(size, seconds, following):
    assert next_size(size, seconds=seconds) == following
