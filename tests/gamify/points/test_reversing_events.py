"""Points that came of an event go with it, as far as they are left."""

from datetime import timedelta

import time_machine

from gamify.points.models import LedgerEntry
from participants.models import DomainEvent, Participant
from tests.factories import RuleFactory

BUY = {"participant_id": "ada", "event_name": "purchase"}


def bought(api):
    return api.post("/events", BUY).json()["event_id"]


def reversed_(admin_api, event_id, query=""):
    return admin_api.post(f"/admin/events/{event_id}/reverse{query}", {"reason": "Fraud"}).json()["undone"]


def points_of(undone):
    return [(each["amount"], each.get("shortfall")) for each in undone if each["type"] == "points"]


def test_awards_of_the_event_are_taken_back_by_entries_with_its_id(tenant, api, admin_api):
    RuleFactory(tenant=tenant)
    RuleFactory(tenant=tenant, grants=[{"type": "points", "amount": 5}])
    kept, event_id = bought(api), bought(api)

    undone = reversed_(admin_api, event_id)

    assert sorted(points_of(undone)) == [(5, None), (10, None)]
    ada = Participant.objects.get()
    assert (ada.balance, ada.total_earned) == (15, 15)
    entries = LedgerEntry.objects.filter(type="reversal")
    assert {(str(entry.event_id), entry.reason) for entry in entries} == {(event_id, "Fraud")}
    assert LedgerEntry.objects.filter(event_id=kept, reverses_id=None).count() == 2


def test_spent_points_are_reported_as_a_shortfall(tenant, api, admin_api, nothing_written):
    RuleFactory(tenant=tenant)
    event_id = bought(api)
    api.post("/points/deduct", {"participant_id": "ada", "amount": 7})

    with nothing_written():
        preview = reversed_(admin_api, event_id, "?dry_run=true")
    undone = reversed_(admin_api, event_id)

    assert preview == undone
    assert points_of(undone) == [(3, 7)]
    ada = Participant.objects.get()
    assert (ada.balance, ada.total_earned, ada.total_spent) == (0, 7, 7)


def test_an_award_that_is_spent_completely_adds_no_entry(tenant, api, admin_api):
    RuleFactory(tenant=tenant)
    event_id = bought(api)
    api.post("/points/deduct", {"participant_id": "ada", "amount": 10})

    assert points_of(reversed_(admin_api, event_id)) == [(0, 10)]
    assert LedgerEntry.objects.count() == 2


def test_an_award_that_was_reversed_before_is_skipped(tenant, api, admin_api):
    RuleFactory(tenant=tenant)
    event_id = bought(api)
    entry = LedgerEntry.objects.get()
    admin_api.post(f"/admin/transactions/{entry.pk}/reverse", {})

    assert points_of(reversed_(admin_api, event_id)) == []
    assert Participant.objects.get().balance == 0


def test_points_of_a_chain_of_grants_are_taken_back_too(tenant, api, admin_api):
    RuleFactory(tenant=tenant, grants=[{"type": "points", "amount": 10}])
    RuleFactory(tenant=tenant, event_types=[], changes=["points.awarded"], grants=[{"type": "points", "amount": 1}])
    event_id = bought(api)
    before = Participant.objects.get().balance

    undone = reversed_(admin_api, event_id)

    assert before > 10
    assert sum(amount for amount, _ in points_of(undone)) == before
    assert Participant.objects.get().balance == 0
    assert DomainEvent.objects.filter(type="points.reversed").count() == len(points_of(undone))


def test_a_rule_on_reversals_grants_nothing(tenant, api, admin_api):
    RuleFactory(tenant=tenant)
    RuleFactory(tenant=tenant, event_types=[], changes=["points.reversed"], grants=[{"type": "points", "amount": 99}])

    with time_machine.travel("2026-02-14T10:00:00Z", tick=False) as clock:
        event_id = bought(api)
        clock.shift(timedelta(days=1))
        reversed_(admin_api, event_id)

    assert Participant.objects.get().balance == 0
