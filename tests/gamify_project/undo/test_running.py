"""How undos run: one worker at a time, in the right order, and around participants who are deleted meanwhile."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from gamify.badges.models import BadgeAward
from gamify.points.models import LedgerEntry
from gamify_project.undo import running
from gamify_project.undo.leasing import GIVEN_UP
from gamify_project.undo.models import Undo, UndoItem, UndoStatus
from gamify_project.undo.running import run
from gamify_project.undo.tasks import run_waiting
from participants.models import LEASE, MAX_ATTEMPTS, Participant
from participants.work import restarting, unit_for_ids
from tests.gamify_project.undo.worlds import World, done

ADA = {"participant_id": "ada"}
DELETED = "The participant was deleted, and deleted data cannot be restored"


@pytest.fixture
def world(tenant):
    return World(tenant)


def award(api, amount=100, who="ada"):
    done(api.post("/points/award", {"participant_id": who, "amount": amount}))


def asked(world, **given):
    return Undo.objects.select_related("tenant").get(pk=world.undo(runs=False, **given)["id"])


# --- order ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_dry_run", [False, True])
def test_badges_for_a_number_of_badges_go_with_the_badges_that_they_counted(world, is_dry_run):
    for number in (1, 2, 3):
        criteria = {"metric": "badges_count", "min": number}
        done(world.operator.post("/admin/badges", {"code": f"has_{number}", "name": "Has", "criteria": criteria}))
    done(world.a.post("/badges/award", ADA | {"badge_code": "gift"}))
    assert BadgeAward.objects.count() == 4

    report = world.undo(dry_run=is_dry_run)

    assert report["by_type"]["badge"] == {"waiting": 0, "reversed": 4, "kept": 0}
    assert BadgeAward.objects.count() == (4 if is_dry_run else 0)


def test_badges_for_a_number_of_badges_stay_if_others_are_enough(world):
    criteria = {"metric": "badges_count", "min": 1}
    done(world.operator.post("/admin/badges", {"code": "first", "name": "First", "criteria": criteria}))
    done(world.operator.post("/admin/badges", {"code": "other", "name": "Other"}))
    done(world.a.post("/badges/award", ADA | {"badge_code": "gift"}))
    done(world.b.post("/badges/award", ADA | {"badge_code": "other"}))

    report = world.undo()

    assert world.kept(report["id"]) == [("badge", "ada", "What remains still meets the criteria of the badge")]
    assert set(BadgeAward.objects.values_list("badge__code", flat=True)) == {"first", "other"}


# --- one worker at a time ---------------------------------------------------------------------------------------------


def test_an_undo_that_a_worker_has_is_left_to_it(world):
    award(world.a)
    undo = asked(world)
    first = run(undo)
    next(first)

    assert list(run(Undo.objects.get(pk=undo.pk))) == []
    run_waiting()
    assert UndoItem.objects.get().state == "waiting"
    list(first)

    assert world.report(undo.pk)["status"] == "done"


def test_an_abandoned_undo_is_free_at_once(world):
    award(world.a)
    undo = asked(world)
    steps = run(undo)
    next(steps)
    steps.close()

    run_waiting()

    assert world.report(undo.pk)["status"] == "done"


def test_the_undo_of_a_killed_worker_is_free_when_its_lease_has_run_out(world):
    award(world.a)
    undo = asked(world)
    Undo.objects.update(status=UndoStatus.RUNNING, attempts=1, leased_until=timezone.now() + LEASE)

    run_waiting()
    assert world.report(undo.pk)["status"] == "running"
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1), tick=True):
        run_waiting()

    assert world.report(undo.pk)["status"] == "done"


def test_a_worker_whose_lease_ran_out_stops_without_finishing_the_undo(world):
    award(world.a)
    undo = asked(world)
    steps = run(undo)
    next(steps)
    other = timezone.now() + 2 * LEASE
    Undo.objects.update(leased_until=other)

    assert list(steps) == []

    found = Undo.objects.get()
    assert (found.status, found.leased_until) == ("running", other)


def test_an_undo_whose_worker_was_killed_too_often_fails(world):
    undo = asked(world)
    Undo.objects.update(status=UndoStatus.RUNNING, attempts=MAX_ATTEMPTS)

    run_waiting()

    report = world.report(undo.pk)
    assert (report["status"], report["error"]) == ("failed", GIVEN_UP)


def test_a_step_that_succeeds_sets_the_attempts_back(world, monkeypatch):
    monkeypatch.setattr(running, "CHUNK", 1)
    for _ in range(3):
        award(world.a)
    undo = asked(world)

    seen = []
    for number in run(undo):
        seen += [Undo.objects.get().attempts] if number else []
        Undo.objects.update(attempts=2)

    assert set(seen) == {1}
    assert world.report(undo.pk)["status"] == "done"


def test_a_worker_that_takes_one_row_back_before_it_is_killed_has_not_failed(world, monkeypatch):
    for _ in range(2 * MAX_ATTEMPTS):
        award(world.a)
    undo = asked(world)
    monkeypatch.setattr(running.leasing, "release", lambda undo: None)  # a killed worker releases nothing
    store, calls = running._store, []

    def killed_at_the_second_row(result):
        calls.append(result)
        if len(calls) % 2 == 0:
            raise KeyboardInterrupt
        store(result)

    monkeypatch.setattr(running, "_store", killed_at_the_second_row)
    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(KeyboardInterrupt):
            list(run(Undo.objects.get(pk=undo.pk)))
        Undo.objects.update(leased_until=None)

    assert UndoItem.objects.filter(state="reversed").count() == MAX_ATTEMPTS + 1
    assert Undo.objects.get().attempts == 1


def test_an_undo_that_is_busy_is_free_again(world, monkeypatch):
    award(world.a)
    undo = asked(world)

    def busy(*given):
        raise restarting.TooBusy

    monkeypatch.setattr(running, "_results", busy)
    with pytest.raises(restarting.TooBusy):
        list(run(undo))

    found = Undo.objects.get()
    assert (found.status, found.leased_until, found.attempts) == ("running", None, 0)


def test_if_the_running_undo_ends_at_this_moment_the_next_one_is_accepted(world, monkeypatch):
    save, calls = Undo.save, []

    def save_later(self, **given):
        calls.append(self)
        if len(calls) == 1:
            raise IntegrityError  # because of an undo that has ended since
        save(self, **given)

    monkeypatch.setattr(Undo, "save", save_later)
    body = {"cause": world.causes["a"], "since": "2026-01-01T00:00:00Z"}

    assert world.operator.post("/admin/undo", body).status_code == 202
    assert len(calls) == 2


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no time limits")
def test_a_unit_that_waited_for_locks_leaves_the_limit_of_the_outer_transaction(tenant):
    token = restarting._call.set(restarting._Call(timeouts=1))
    try:
        with transaction.atomic():
            before = statement_timeout()
            participant = Participant.objects.create(tenant=tenant, external_id="ada", **seen())
            with unit_for_ids(tenant, [participant.pk], now=timezone.now(), waits=True):
                pass
            assert statement_timeout() == before
    finally:
        restarting._call.reset(token)


def seen():
    return dict.fromkeys(("first_seen_at", "last_seen_at"), timezone.now())


def statement_timeout():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        return cursor.fetchone()[0]


# --- participants who are deleted -------------------------------------------------------------------------------------


def test_a_deletion_by_the_cause_is_reported(world):
    award(world.b)
    done(world.a.delete("/admin/participants/ada"))

    report = world.undo()

    assert report["by_type"] == {"participant.deleted": {"waiting": 0, "reversed": 0, "kept": 1}}
    assert world.kept(report["id"]) == [("participant.deleted", None, DELETED)]


def test_a_participant_who_is_deleted_during_the_undo_is_reported(world):
    award(world.a)
    award(world.a, who="bob")
    undo = asked(world)
    next(run(undo))

    done(world.operator.delete("/admin/participants/ada"))
    list(run(Undo.objects.get(pk=undo.pk)))

    report = world.report(undo.pk)
    assert (report["reversed"], report["kept"], report["waiting"]) == (1, 1, 0)
    assert world.kept(undo.pk) == [("points", None, DELETED)]


def test_a_participant_who_is_deleted_while_rows_are_listed_is_reported(world, monkeypatch):
    award(world.a)
    monkeypatch.setattr("gamify_project.undo.planning.lock_participants", lambda tenant, ids: set())

    report = world.undo()

    assert world.kept(report["id"]) == [("points", None, DELETED)]


# --- retention --------------------------------------------------------------------------------------------------------


def test_old_undos_are_deleted_with_their_items_and_unfinished_ones_stay(world, settings):
    award(world.a)
    world.undo()
    waiting = asked(world, name="b")
    Undo.objects.filter(pk=waiting.pk).update(leased_until=timezone.now() + timedelta(days=999))

    with time_machine.travel(timezone.now() + timedelta(days=settings.UNDO_RETENTION_DAYS - 1), tick=True):
        run_waiting()
    assert Undo.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(days=settings.UNDO_RETENTION_DAYS + 1), tick=True):
        run_waiting()

    assert list(Undo.objects.all()) == [waiting]
    assert not UndoItem.objects.exists()
    assert LedgerEntry.objects.filter(type="reversal").count() == 1
