"""Entries are undone by entries of their own, once; what is spent is not taken."""

from datetime import timedelta

import pytest
import time_machine

from gamify.points.models import ExpiringCredit, LedgerEntry
from participants.models import DomainEvent, Participant
from tests.client import like, refusal
from tests.factories import TierFactory

AWARD, DEDUCT = "/points/award", "/points/deduct"


def reverse_of(transaction_id):
    return f"/admin/transactions/{transaction_id}/reverse"


def awarded(api, amount=100, **more):
    return api.post(AWARD, {"participant_id": "ada", "amount": amount, **more}).json()["transaction_id"]


def deducted(api, amount=100):
    return api.post(DEDUCT, {"participant_id": "ada", "amount": amount}).json()["transaction_id"]


def totals():
    return Participant.objects.values_list("balance", "total_earned", "total_spent", "total_expired").get()


def test_an_award_is_taken_back_as_if_it_had_never_been_earned(api, admin_api):
    awarded(api, 7)
    transaction_id = awarded(api, 100)

    answer = admin_api.post(reverse_of(transaction_id), {"reason": "Order returned"}).json()

    entry = LedgerEntry.objects.get(type="reversal")
    assert answer == {
        "transaction_id": str(entry.pk),
        "reversed_id": transaction_id,
        "participant_id": "ada",
        "amount": 100,
        "delta": -100,
        "new_balance": 7,
        "reason": "Order returned",
    }
    assert totals() == (7, 7, 0, 0)
    assert (str(entry.reverses_id), entry.reason) == (transaction_id, "Order returned")
    told = {"delta": -100, "reverses": transaction_id, "reversed_type": "award"}
    assert like(DomainEvent.objects.get(type="points.reversed").data, told)


def test_a_deduction_is_given_back_as_if_it_had_never_been_spent(api, admin_api):
    awarded(api)
    transaction_id = deducted(api, 60)

    answer = admin_api.post(reverse_of(transaction_id), {}).json()

    assert (answer["delta"], answer["new_balance"]) == (60, 100)
    assert totals() == (100, 100, 0, 0)


def test_a_second_reversal_is_400_and_changes_nothing(api, admin_api, nothing_written):
    awarded(api)
    transaction_id = awarded(api)
    admin_api.post(reverse_of(transaction_id), {})

    with nothing_written():
        response = admin_api.post(reverse_of(transaction_id), {})

    assert refusal(response) == (400, "already_reversed", "Transaction is reversed already")


def test_an_award_that_is_spent_is_not_reversed(api, admin_api, nothing_written):
    transaction_id = awarded(api)
    deducted(api, 70)

    with nothing_written():
        response = admin_api.post(reverse_of(transaction_id), {})

    assert refusal(response) == (400, "insufficient_points", "Insufficient points. Available: 30, requested: 100")


def test_a_dry_run_answers_the_same_and_writes_nothing(api, admin_api, nothing_written):
    transaction_id = awarded(api)

    with nothing_written():
        preview = admin_api.post(reverse_of(transaction_id) + "?dry_run=true", {"reason": "r"}).json()
    done = admin_api.post(reverse_of(transaction_id), {"reason": "r"}).json()

    assert preview == done | {"transaction_id": None}


def test_a_reversal_cannot_be_reversed(api, admin_api):
    answer = admin_api.post(reverse_of(awarded(api)), {}).json()

    assert refusal(admin_api.post(reverse_of(answer["transaction_id"]), {})) == (
        400,
        "not_reversible",
        "An entry of type 'reversal' cannot be reversed",
    )


def test_tiers_stay(tenant, api, admin_api):
    TierFactory(tenant=tenant, code="gold", level=1, criteria_config={"min_points": 100})
    transaction_id = awarded(api)

    admin_api.post(reverse_of(transaction_id), {})

    assert Participant.objects.get().tier_code == "gold"


# --- credits that expire -----------------------------------------------------------------------------------------------


def rests():
    return list(ExpiringCredit.objects.order_by("expires_at").values_list("rest", flat=True))


def test_the_rest_of_the_credit_itself_is_taken_first(api, admin_api):
    awarded(api, 10, expires_in_days=1)
    transaction_id = awarded(api, 20, expires_in_days=2)
    awarded(api, 40)

    admin_api.post(reverse_of(transaction_id), {})

    assert rests() == [10, 0]


def test_reversing_a_permanent_award_takes_permanent_points_first(api, admin_api):
    awarded(api, 10, expires_in_days=1)
    transaction_id = awarded(api, 20)
    awarded(api, 5)
    deducted(api, 10 + 5)  # the credit that expires, and five of the others

    awarded(api, 8, expires_in_days=1)
    admin_api.post(reverse_of(transaction_id), {})

    assert rests() == [0, 8]
    assert Participant.objects.get().balance == 8


def test_points_spent_from_a_credit_return_to_it_and_expire_with_it(api, admin_api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False) as clock:
        awarded(api, 10, expires_in_days=1)
        awarded(api, 5)
        transaction_id = deducted(api, 12)
        admin_api.post(reverse_of(transaction_id), {})
        assert rests() == [10]
        clock.shift(timedelta(days=1))

        assert api.get("/participants/ada/points").json()["balance"] == 5


def test_points_spent_from_a_credit_that_has_expired_since_become_permanent(api, admin_api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False) as clock:
        awarded(api, 10, expires_in_days=1)
        transaction_id = deducted(api, 6)
        clock.shift(timedelta(days=1))
        admin_api.post(reverse_of(transaction_id), {})
        clock.shift(timedelta(days=400))

        assert api.get("/participants/ada/points").json()["balance"] == 6
    assert totals() == (6, 10, 0, 4)


def test_expired_points_are_not_taken_back_again(api, admin_api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False) as clock:
        transaction_id = awarded(api, 10, expires_in_days=1)
        deducted(api, 4)
        awarded(api, 100)
        clock.shift(timedelta(days=1))
        answer = admin_api.post(reverse_of(transaction_id), {}).json()

    assert (answer["amount"], answer["new_balance"]) == (4, 96)
    assert totals() == (96, 106, 4, 6)


def test_an_award_that_has_expired_completely_cannot_be_reversed(api, admin_api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False) as clock:
        transaction_id = awarded(api, 10, expires_in_days=1)
        clock.shift(timedelta(days=1))

        assert refusal(admin_api.post(reverse_of(transaction_id), {})) == (
            400,
            "not_reversible",
            "All of it has expired",
        )


# --- who may, and what is none -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("unknown", ["01a20030-0c1e-7b55-9d0e-4f4b7a8b9c10", "nonsense", "a%00b"])
def test_an_unknown_transaction_is_404(admin_api, unknown):
    assert refusal(admin_api.post(reverse_of(unknown), {}))[:2] == (404, "transaction_not_found")


def test_another_tenants_transaction_is_404_and_reversal_needs_the_admin_scope(api, other_admin_api):
    transaction_id = awarded(api)

    assert refusal(other_admin_api.post(reverse_of(transaction_id), {}))[:2] == (404, "transaction_not_found")
    assert refusal(api.post(reverse_of(transaction_id), {}))[2] == "API key requires 'admin' scope"


@pytest.mark.parametrize("reason", ["x" * 501, {"x": 1}, ["x"], "a\x00b", "two\nlines"])
def test_an_invalid_reason_is_422(api, admin_api, reason):
    assert refusal(admin_api.post(reverse_of(awarded(api)), {"reason": reason}))[:2] == (422, "validation_error")
