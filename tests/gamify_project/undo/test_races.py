"""Two connections at the same time. These tests run on SQLite too, where writers queue up."""

import pytest
from django.core.management import call_command
from django.utils import timezone

from gamify.points.models import LedgerEntry
from gamify_project.undo.models import Undo
from participants.services.tenants import create_tenant
from tests.gamify_project.undo.worlds import World, balance, done, finish
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = [f"p{number}" for number in range(6)]


@pytest.fixture
def world():
    return World(create_tenant(slug="acme", name="Acme", now=timezone.now()))


def test_two_workers_on_one_undo_take_everything_back_once(world):
    for who in PEOPLE:
        done(world.b.post("/points/award", {"participant_id": who, "amount": 9}))
        for amount in (5, 6, 7):
            done(world.a.post("/points/award", {"participant_id": who, "amount": amount}))
        done(world.a.post("/events", {"participant_id": who, "event_name": "buy"}))
    undo = world.undo(runs=False)["id"]

    def work():
        finish(Undo.objects.select_related("tenant").get(pk=undo))

    assert all_at_once([work, work]) == [None, None]

    report = world.report(undo)
    assert (report["status"], report["reversed"], report["kept"], report["waiting"]) == ("done", 24, 0, 0)
    assert {balance(world.b, who) for who in PEOPLE} == {9}
    call_command("verify_ledger", "--tenant", "acme", "--json")


def test_of_two_undos_of_a_cause_at_the_same_time_one_wins(world):
    done(world.a.post("/points/award", {"participant_id": "ada", "amount": 5}))
    body = {"cause": world.causes["a"], "since": "2026-01-01T00:00:00Z"}

    answers = all_at_once([lambda: world.operator.post("/admin/undo", body).status_code] * 2)

    assert sorted(answers) == [202, 409]
    assert Undo.objects.count() == 1


def test_other_keys_write_meanwhile(world):
    for who in PEOPLE:
        for _ in range(3):
            done(world.a.post("/points/award", {"participant_id": who, "amount": 5}))
    undo = world.undo(runs=False)["id"]

    def write():
        for who in PEOPLE * 3:
            done(world.b.post("/points/award", {"participant_id": who, "amount": 1}))

    assert all_at_once([lambda: finish(Undo.objects.select_related("tenant").get(pk=undo)), write]) == [None, None]

    assert {balance(world.b, who) for who in PEOPLE} == {3}
    assert LedgerEntry.objects.filter(type="reversal").count() == 3 * len(PEOPLE)
    call_command("verify_ledger", "--tenant", "acme", "--json")
