"""Expiring credits: they are spent first, expire on time, and expire once."""

from datetime import UTC, datetime, timedelta

import pytest

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from gamify.points.engine import InsufficientPoints
from gamify.points.models import EntryType, ExpiringCredit, LedgerEntry
from gamify.points.selectors import tenants_with_expired_credits
from gamify.points.services import Change, award, award_batch, deduct, expire, reverse
from gamify.points.tasks import expire as expire_task
from participants.errors import InvalidInput
from participants.models import DomainEvent, Participant, Tenant
from participants.selectors import find_participant
from participants.services.participants import anonymize, delete
from participants.work import as_if_settled
from tests.factories import RuleFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def award_points(tenant, amount, *, days=None, at=NOW, user="ada", key=None):
    expires_at = None if days is None else at + days * DAY
    change = Change(user, amount, expires_at=expires_at, idempotency_key=key)
    return award(tenant=tenant, change=change, now=at)


def deduct_points(tenant, amount, *, at=NOW, user="ada"):
    return deduct(tenant=tenant, change=Change(user, amount), now=at)


def rests():
    return list(ExpiringCredit.objects.order_by("expires_at", "id").values_list("rest", flat=True))


def entries(kind=None):
    rows = LedgerEntry.objects.order_by("participant__external_id", "number")
    return list((rows.filter(type=kind) if kind else rows).values_list("type", "delta", "balance_after"))


def test_what_expires_first_is_spent_first_and_then_what_does_not_expire(tenant):
    award_points(tenant, 100)
    award_points(tenant, 30, days=10)
    award_points(tenant, 20, days=5)

    deduct_points(tenant, 25)
    assert rests() == [0, 25]
    deduct_points(tenant, 40)

    assert rests() == [0, 0]
    assert Participant.objects.get().next_expiry_at is None
    debits = LedgerEntry.objects.filter(type="deduct").order_by("number")
    assert [sorted(debit.used.values()) for debit in debits] == [[5, 20], [25]]


def test_the_sweep_expires_unspent_points_and_emits_one_event(tenant):
    credited = award_points(tenant, 100, days=1)
    award_points(tenant, 7)
    deduct_points(tenant, 40)

    looked_at = [expire(tenant=tenant, now=at) for at in (NOW + DAY - timedelta(seconds=1), NOW + DAY, NOW + DAY)]

    assert looked_at == [0, 1, 0]
    ada = Participant.objects.get()
    assert (ada.balance, ada.total_earned, ada.total_spent, ada.total_expired) == (7, 107, 40, 60)
    assert entries("expire") == [("expire", -60, 7)]
    data = DomainEvent.objects.get(type="points.expired").data
    assert (data["amount"], data["delta"], data["new_balance"]) == (60, -60, 7)
    assert data["expired_at"] == (NOW + DAY).isoformat()
    assert LedgerEntry.objects.get(type="expire").used == {str(credited.transaction_id): 60}
    assert ada.last_seen_at == NOW


def test_no_answer_counts_expired_points_even_before_the_sweep(tenant, api, admin_api):
    award_points(tenant, 100, days=1)
    award_points(tenant, 7)

    later = NOW + 2 * DAY
    ada = find_participant(tenant, "ada", now=later)
    answers = [
        api.get("/participants/ada/points").json()["balance"],
        api.get("/participants/ada").json()["points"]["balance"],
        api.get("/participants/ada/state?include=points").json()["points"]["balance"],
        admin_api.get("/admin/participants").json()["items"][0]["available_points"],
    ]

    assert (ada.balance, ada.total_expired) == (7, 100)
    assert answers == [7] * 4
    assert Participant.objects.get().balance == 107, "a read writes nothing"


def test_a_sweep_between_two_reads_of_an_answer_hides_nothing(tenant):
    award_points(tenant, 100, days=1)
    award_points(tenant, 7)
    read_before = Participant.objects.get()

    expire(tenant=tenant, now=NOW + DAY)
    as_if_settled([read_before], now=NOW + DAY)

    assert (read_before.balance, read_before.total_expired) == (7, 100)


def test_expired_points_cannot_be_spent_even_before_the_sweep(tenant):
    award_points(tenant, 100, days=1)
    award_points(tenant, 7)

    with pytest.raises(InsufficientPoints, match="Available: 7, requested: 8"):
        deduct_points(tenant, 8, at=NOW + DAY)

    assert entries("expire") == []
    assert deduct_points(tenant, 7, at=NOW + DAY).new_balance == 0
    assert entries("expire") == [("expire", -100, 7)]


def test_the_next_write_settles_first(tenant):
    award_points(tenant, 100, days=1)

    awarded = award_points(tenant, 5, at=NOW + DAY)

    assert awarded.new_balance == 5
    assert [kind for kind, _, _ in entries()] == ["award", "expire", "award"]


def test_a_batch_settles_all_participants_with_one_query(tenant, queries):
    people = [f"p{number}" for number in range(5)]
    for person in people:
        award_points(tenant, 10, days=1, user=person)
    ready = Tenant.objects.get(pk=tenant.pk)
    award(tenant=ready, change=Change("warm", 1), now=NOW)
    changes = [Change(person, 1) for person in people]

    with queries(7):  # lock, version, credits; participants, credits, outbox, ledger
        award_batch(tenant=ready, changes=changes, refused={}, key=None, now=NOW + DAY)

    assert Participant.objects.filter(external_id__startswith="p", balance=1).count() == 5


def test_participants_without_expiring_credits_cost_no_query(tenant, queries):
    award_points(tenant, 10)
    ready = Tenant.objects.get(pk=tenant.pk)
    award(tenant=ready, change=Change("warm", 1), now=NOW)

    with queries(5):  # lock, version; participant, outbox, ledger
        deduct_points(ready, 5)


def test_points_that_expire_in_the_past_are_refused_and_the_retry_of_a_success_is_not(tenant):
    with pytest.raises(InvalidInput, match="future"):
        award_points(tenant, 10, days=0)
    assert not Participant.objects.exists()

    first = award(tenant=tenant, change=Change("ada", 1, expires_at=NOW + DAY, idempotency_key="k"), now=NOW)
    again = award(tenant=tenant, change=Change("ada", 1, expires_at=NOW + DAY, idempotency_key="k"), now=NOW + 2 * DAY)

    assert again.transaction_id == first.transaction_id
    assert again.is_replay


def test_a_rule_reacts_to_expired_points(tenant):
    RuleFactory(tenant=tenant, event_types=[], changes=["points.expired"], grants=[{"type": "points", "amount": 3}])
    award_points(tenant, 100, days=1)

    expire(tenant=Tenant.objects.get(pk=tenant.pk), now=NOW + DAY)

    assert Participant.objects.get().balance == 3


def test_an_event_of_a_participant_with_expired_points_settles_them_and_emits(tenant):
    award_points(tenant, 100, days=1)

    emit(tenant=tenant, event=EventInput("ada", "login", NOW + DAY), now=NOW + DAY)

    assert Participant.objects.get().balance == 0
    assert DomainEvent.objects.filter(type="points.expired").count() == 1


def test_points_given_back_after_their_expiry_are_permanent(tenant):
    award_points(tenant, 100, days=1)
    debit = deduct_points(tenant, 60)
    expire(tenant=tenant, now=NOW + DAY)

    reverse(tenant=tenant, transaction_id=str(debit.transaction_id), reason=None, now=NOW + 2 * DAY)

    assert expire(tenant=tenant, now=NOW + 9 * DAY) == 0
    assert rests() == [0]
    ada = Participant.objects.get()
    assert (ada.balance, ada.total_expired, ada.next_expiry_at) == (60, 40, None)


def test_points_given_back_before_their_expiry_still_expire(tenant):
    award_points(tenant, 100, days=3)
    debit = deduct_points(tenant, 60)

    reverse(tenant=tenant, transaction_id=str(debit.transaction_id), reason=None, now=NOW + 2 * DAY)

    assert rests() == [100]
    expire(tenant=tenant, now=NOW + 3 * DAY)
    assert Participant.objects.get().balance == 0


def test_the_task_processes_every_tenant_with_expired_credits(tenant, other_tenant):
    award_points(tenant, 1, days=1)
    award_points(other_tenant, 1, days=1)
    award_points(tenant.sandbox, 1, days=30_000)

    assert list(tenants_with_expired_credits(now=NOW + DAY)) == sorted([tenant, other_tenant], key=lambda each: each.pk)
    expire_task()

    assert ExpiringCredit.objects.unspent().count() == 1


def test_a_credit_that_fails_is_postponed_and_blocks_no_other(tenant, monkeypatch):
    for person in ("ada", "bob", "cyd"):
        award_points(tenant, 10, days=1, user=person)
    poison = Participant.objects.get(external_id="bob").pk
    LedgerEntry.objects.filter(participant_id=poison).update(number=2)  # the next number is taken

    expire(tenant=tenant, now=NOW + DAY)

    assert ExpiringCredit.objects.unspent().get().participant_id == poison
    assert expire(tenant=tenant, now=NOW + DAY) == 0
    assert ExpiringCredit.objects.get(participant_id=poison).retry_at > NOW + DAY


@pytest.mark.parametrize("forget", [delete, anonymize])
def test_erasing_a_participant_deletes_credits_and_anonymizing_keeps_the_sums(tenant, forget):
    award_points(tenant, 100, days=1)

    forget(tenant=tenant, external_id="ada", now=NOW)

    assert ExpiringCredit.objects.count() == Participant.objects.count()
    assert {entry.type for entry in LedgerEntry.objects.all()} <= {EntryType.AWARD.value}
