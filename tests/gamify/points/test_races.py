"""Two connections and more, at the same moment. These run on SQLite too, where writers queue up."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from gamify.points.engine import InsufficientPoints
from gamify.points.models import LedgerEntry
from gamify.points.services import (
    AlreadyReversed,
    AwardResult,
    Change,
    DeductionResult,
    award,
    award_batch,
    deduct,
    expire,
    reverse,
)
from participants.models import DomainEvent, IdempotencyKey, Participant
from participants.services.tenants import create_tenant
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=timezone.now())


@pytest.fixture
def now():
    return timezone.now()


def test_32_deducts_on_a_small_balance_spend_it_exactly_once(tenant, now):
    award(tenant=tenant, change=Change("user_1", 100), now=now)

    results = all_at_once([partial(deduct, tenant=tenant, change=Change("user_1", 30), now=now)] * 32)

    spent = [result for result in results if isinstance(result, DeductionResult)]
    assert sorted(result.new_balance for result in spent) == [10, 40, 70]
    assert sum(isinstance(result, InsufficientPoints) for result in results) == 29
    assert Participant.objects.get().balance == 10
    assert list(LedgerEntry.objects.order_by("number").values_list("number", "balance_after")) == [
        (1, 100),
        (2, 70),
        (3, 40),
        (4, 10),
    ]


def test_16_identical_idempotent_awards_are_one_award_and_16_equal_answers(tenant, now):
    change = Change("user_1", 100, idempotency_key="same")

    results = all_at_once([partial(award, tenant=tenant, change=change, now=now)] * 16)

    assert {(result.transaction_id, result.new_balance) for result in results} == {(results[0].transaction_id, 100)}
    assert sum(result.is_replay for result in results) == 15
    assert LedgerEntry.objects.count() == IdempotencyKey.objects.count() == 1


def test_16_first_writes_of_one_new_participant_make_one_participant(tenant, now):
    results = all_at_once([partial(award, tenant=tenant, change=Change("new", 1), now=now)] * 16)

    assert sorted(result.new_balance for result in results) == list(range(1, 17))
    assert Participant.objects.get().total_earned == 16
    assert DomainEvent.objects.filter(type="participant.created").count() == 1


def test_two_batches_over_the_same_participants_in_opposite_order_do_not_deadlock(tenant, now):
    changes = [Change(f"user_{n}", 1) for n in range(50)]
    batch = partial(award_batch, tenant=tenant, refused={}, key=None, now=now)

    results = all_at_once([partial(batch, changes=changes), partial(batch, changes=changes[::-1])] * 4)

    assert [result.processed for result in results] == [50] * 8
    assert set(Participant.objects.values_list("balance", flat=True)) == {8}


def test_16_equal_batches_under_one_key_are_one_batch(tenant, now):
    changes = [Change(f"user_{n}", 1) for n in range(3)]
    batch = partial(award_batch, tenant=tenant, changes=changes, refused={}, key="weekly", now=now)

    results = all_at_once([batch] * 16)

    assert len({tuple(item.transaction_id for item in result.results) for result in results}) == 1
    assert LedgerEntry.objects.count() == 3


def test_32_clients_writing_at_once_all_succeed(tenant, now):
    changes = [Change(f"user_{n % 4}", 1) for n in range(32)]

    results = all_at_once([partial(award, tenant=tenant, change=change, now=now) for change in changes])

    assert all(isinstance(result, AwardResult) for result in results), results
    assert set(Participant.objects.values_list("balance", flat=True)) == {8}


def test_sixteen_reversals_of_one_entry_are_one_and_fifteen_refusals(tenant):
    credited = award(tenant=tenant, change=Change("user_1", 100), now=timezone.now())
    award(tenant=tenant, change=Change("user_1", 1000), now=timezone.now())
    undo = partial(reverse, tenant=tenant, transaction_id=str(credited.transaction_id), reason=None, now=timezone.now())

    results = all_at_once([undo] * 16)

    assert sum(isinstance(result, AlreadyReversed) for result in results) == 15
    assert LedgerEntry.objects.filter(type="reversal").count() == 1
    assert Participant.objects.get().balance == 1000


def test_sweeps_and_debits_at_once_expire_every_credit_once_and_spend_no_point_twice(tenant):
    now = timezone.now()
    people = [f"user_{number}" for number in range(30)]
    for person in people:
        award(tenant=tenant, change=Change(person, 10, expires_at=now + timedelta(seconds=1)), now=now)
        award(tenant=tenant, change=Change(person, 5), now=now)
    later = now + timedelta(seconds=2)
    spend = [partial(deduct, tenant=tenant, change=Change(person, 5), now=later) for person in people[:10]]

    results = all_at_once([*[partial(expire, tenant=tenant, now=later)] * 4, *spend])

    assert not [result for result in results if isinstance(result, Exception)]
    expire(tenant=tenant, now=later)
    expired = LedgerEntry.objects.filter(type="expire")
    assert (expired.count(), set(expired.values_list("delta", flat=True))) == (30, {-10})
    assert sorted(Participant.objects.values_list("balance", flat=True)) == [0] * 10 + [5] * 20
    assert DomainEvent.objects.filter(type="points.expired").count() == 30
