"""What multiplies awards: of each kind the highest, and the kinds with each other."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from gamify.points.engine import MAX_MULTIPLIER, combined_multiplier, multiply
from gamify.points.models import Boost, LedgerEntry
from gamify.points.services import Change, award, deduct
from participants.models import DomainEvent, Participant, Tenant
from tests.client import like
from tests.factories import RuleFactory, TierFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def boost(tenant, multiplier, *, code="b", starts_at=None, ends_at=None, is_active=True):
    dates = {"starts_at": starts_at, "ends_at": ends_at, "created_at": NOW, "updated_at": NOW}
    return Boost.objects.create(
        tenant=tenant, code=code, name=code.title(), multiplier=Decimal(str(multiplier)), is_active=is_active, **dates
    )


def awarded(tenant, amount=100, *, at=NOW, **given):
    return award(tenant=tenant, change=Change("ada", amount, **given), now=at)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("kinds", "product"),
    [
        ([], None),
        ([[], []], None),
        ([["1"]], None),
        ([["2"]], "2"),
        ([["2", "3"], ["1.5"]], "4.5"),
        ([["0.5"], ["2"]], None),
        ([["0.5"]], "0.5"),
        ([["1.3333"], ["1.3333"]], "1.7777"),
        ([["100"], ["100"], ["100"]], "1000"),
    ],
)
def test_the_highest_of_each_kind_times_the_others(kinds, product):
    factors = [[Decimal(each) for each in kind] for kind in kinds]

    assert combined_multiplier(factors) == (None if product is None else Decimal(product))
    assert combined_multiplier(factors) is None or combined_multiplier(factors) <= MAX_MULTIPLIER


@pytest.mark.engine
@pytest.mark.parametrize(
    ("amount", "multiplier", "credited"), [(3, "1.5", 5), (1, "1.5", 2), (1, "0.0001", 1), (7, "0.5", 4), (3, "2", 6)]
)
def test_halves_are_rounded_up_and_the_result_is_at_least_one(amount, multiplier, credited):
    assert multiply(amount, Decimal(multiplier)) == credited


def test_the_current_tier_multiplies_an_award_and_the_reached_tier_multiplies_the_next(tenant):
    TierFactory(tenant=tenant, code="gold", level=1, criteria_config={"min_points": 100}, points_multiplier="1.5")

    amounts = [awarded(tenant).amount for _ in range(2)]

    assert amounts == [100, 150]


def test_answer_and_history_show_the_multiplier(tenant, api):
    boost(tenant, 2)

    answer = api.post("/points/award", {"participant_id": "ada", "amount": 50, "idempotency_key": "k"}).json()
    again = api.post("/points/award", {"participant_id": "ada", "amount": 50, "idempotency_key": "k"}).json()
    listed = api.get("/participants/ada/points/transactions").json()["transactions"][0]

    assert again == answer
    assert like(answer, {"amount": 100, "new_balance": 100, "base_amount": 50, "multiplier": 2})
    assert like(listed, {"amount": 100, "delta": 100, "base_amount": 50, "multiplier": 2})
    assert like(
        DomainEvent.objects.get(type="points.awarded").data, {"amount": 100, "base_amount": 50, "multiplier": 2}
    )


def test_without_a_multiplier_its_fields_are_left_out(api):
    answer = api.post("/points/award", {"participant_id": "ada", "amount": 50}).json()
    listed = api.get("/participants/ada/points/transactions").json()["transactions"][0]

    assert not {"base_amount", "multiplier", "expires_at"} & ({*answer} | {*listed})


def test_the_highest_boost_that_is_on_multiplies(tenant):
    boost(tenant, 3, code="morning", starts_at=NOW, ends_at=NOW + DAY)
    boost(tenant, 2, code="always")
    boost(tenant, 50, code="off", is_active=False)

    times = (NOW - timedelta(seconds=1), NOW, NOW + DAY - timedelta(seconds=1), NOW + DAY)
    amounts = [awarded(Tenant.objects.get(pk=tenant.pk), 10, at=at).amount for at in times]

    assert amounts == [20, 30, 30, 20]


def test_granted_points_use_the_multipliers_at_the_time_of_the_event(tenant):
    boost(tenant, 2, ends_at=NOW)
    RuleFactory(tenant=tenant)

    granted = [
        emit(tenant=tenant, event=EventInput("ada", "purchase", at), now=NOW).rewards_granted[0]["amount"]
        for at in (NOW - timedelta(seconds=1), NOW)
    ]

    assert granted == [20, 10]


def test_spending_is_never_multiplied(tenant):
    boost(tenant, 2)
    awarded(tenant, 10)

    assert deduct(tenant=tenant, change=Change("ada", 5), now=NOW).new_balance == 15


def test_boosts_of_another_tenant_and_of_the_sandbox_do_not_apply(tenant, other_tenant):
    boost(other_tenant, 2)
    boost(tenant.sandbox, 2)

    assert awarded(tenant).amount == 100


def test_multiplied_credits_expire_completely(tenant):
    boost(tenant, 2)

    awarded(tenant, 10, expires_at=NOW + DAY)
    awarded(tenant, 1, at=NOW + DAY)

    assert Participant.objects.get().balance == 2
    assert LedgerEntry.objects.get(type="expire").delta == -20
