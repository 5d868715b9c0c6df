import pytest
import time_machine

from gamify.points.models import LedgerEntry
from participants.models import DomainEvent, IdempotencyKey, Participant
from tests.client import like, refusal, refused_fields
from tests.factories import ParticipantFactory

AWARD, DEDUCT = "/points/award", "/points/deduct"


def test_the_quick_start_awards_points_to_a_new_participant(api):
    response = api.post(
        AWARD,
        {
            "participant_id": "user_123",
            "amount": 250,
            "reason": "Completed onboarding",
            "idempotency_key": "onboarding_user123",
        },
    )

    assert response.status_code == 200
    assert like(
        response.json(),
        {
            "transaction_id": ...,
            "participant_id": "user_123",
            "amount": 250,
            "new_balance": 250,
            "tier_upgrade": None,
        },
    )


def test_an_award_with_everything_is_one_entry_one_participant_and_two_domain_events(tenant, api):
    response = api.post(
        AWARD,
        {
            "participant_id": "user_123",
            "amount": 100,
            "reason": "Purchase completed",
            "metadata": {"order_id": "ord_abc", "amount_usd": 49.99},
            "idempotency_key": "purchase_ord_abc",
        },
    )

    assert response.json() == {
        "transaction_id": str(LedgerEntry.objects.get().pk),
        "participant_id": "user_123",
        "amount": 100,
        "new_balance": 100,
        "tier_upgrade": None,
        "badges_unlocked": [],
    }
    entry = LedgerEntry.objects.get()
    assert (entry.tenant, entry.type, entry.delta, entry.balance_after) == (tenant, "award", 100, 100)
    assert (entry.reason, entry.metadata) == ("Purchase completed", {"order_id": "ord_abc", "amount_usd": 49.99})
    assert Participant.objects.get().balance == 100
    assert set(DomainEvent.objects.values_list("type", flat=True)) == {"participant.created", "points.awarded"}
    assert IdempotencyKey.objects.count() == 1


def test_the_integration_examples_award_answers_what_its_code_reads(api):
    response = api.post(
        AWARD,
        {
            "participant_id": "user_9",
            "amount": 49,
            "reason": "Purchase #ord_7",
            "metadata": {"order_id": "ord_7", "amount": 49.99},
            "idempotency_key": "purchase_ord_7",
        },
    )

    assert like(response.json(), {"amount": 49, "new_balance": 49, "tier_upgrade": None})


def test_a_balance_of_1400_and_an_award_of_100_make_1500(tenant, api):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=1400)

    response = api.post(AWARD, {"participant_id": "user_123", "amount": 100})

    assert like(response.json(), {"participant_id": "user_123", "amount": 100, "new_balance": 1500})


def test_the_specs_deduct_takes_50_from_1500(tenant, api):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=1500)

    response = api.post(DEDUCT, {"participant_id": "user_123", "amount": 50, "reason": "Reward redemption"})

    entry = LedgerEntry.objects.newest_first()[0]
    assert response.status_code == 200
    assert response.json() == {
        "transaction_id": str(entry.pk),
        "participant_id": "user_123",
        "amount": 50,
        "new_balance": 1450,
    }
    assert (entry.type, entry.delta, entry.balance_after, entry.reason) == ("deduct", -50, 1450, "Reward redemption")


def test_the_specs_deduct_beyond_the_balance_is_refused_in_its_words(tenant, api, nothing_written):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=30)

    with nothing_written():
        response = api.post(DEDUCT, {"participant_id": "user_123", "amount": 50, "reason": "Reward redemption"})

    assert refusal(response) == (400, "insufficient_points", "Insufficient points. Available: 30, requested: 50")


def test_a_deduct_from_an_unknown_participant_is_refused_and_creates_none(api, nothing_written):
    with nothing_written():
        response = api.post(DEDUCT, {"participant_id": "unknown", "amount": 1})

    assert refusal(response) == (400, "insufficient_points", "Insufficient points. Available: 0, requested: 1")


def test_the_last_point_can_be_spent(tenant, api):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=50)

    assert api.post(DEDUCT, {"participant_id": "user_123", "amount": 50}).json()["new_balance"] == 0


def test_a_deduct_may_exceed_what_one_award_may_give(tenant, api):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=5_000_000)

    assert api.post(DEDUCT, {"participant_id": "user_123", "amount": 2_000_000}).json()["new_balance"] == 3_000_000


def test_an_award_past_64_bits_is_refused(tenant, api, nothing_written):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=2**63 - 10)
    api.post(AWARD, {"participant_id": "user_123", "amount": 9})

    with nothing_written():
        response = api.post(AWARD, {"participant_id": "user_123", "amount": 1})

    assert refusal(response)[:2] == (400, "balance_limit")
    assert api.get("/participants/user_123/points").json()["balance"] == 2**63 - 1


@pytest.mark.parametrize("amount", [1, 1_000_000])
def test_the_smallest_and_the_largest_award(api, amount):
    assert api.post(AWARD, {"participant_id": "user_123", "amount": amount}).json()["new_balance"] == amount


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"participant_id": None}, "participant_id"),
        ({"participant_id": ""}, "participant_id"),
        ({"participant_id": "x" * 256}, "participant_id"),
        ({"participant_id": "a\tb"}, "participant_id"),
        ({"participant_id": "a\x7fb"}, "participant_id"),
        ({"participant_id": "a\u2028b"}, "participant_id"),
        ({"participant_id": True}, "participant_id"),
        ({"participant_id": 1}, "participant_id"),
        ({"participant_id": 1.0}, "participant_id"),
        ({"participant_id": ["user_123"]}, "participant_id"),
        ({"participant_id": {"id": 1}}, "participant_id"),
        ({"amount": None}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 1_000_001}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": "ten"}, "amount"),
        ({"amount": "1" * 2000}, "amount"),
        ({"amount": [1]}, "amount"),
        ({"amount": 2**63 - 1}, "amount"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": {"text": "x"}}, "reason"),
        ({"metadata": []}, "metadata"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": {"a": "x" * 16_384}}, "metadata"),
        ({"metadata": {"a": "ü" * 8_192}}, "metadata"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"idempotency_key": "k" * 256}, "idempotency_key"),
        ({"idempotency_key": ["k"]}, "idempotency_key"),
    ],
)
def test_an_award_that_does_not_validate_is_422_names_the_field_and_writes_nothing(api, nothing_written, change, field):
    with nothing_written():
        response = api.post(AWARD, {"participant_id": "user_123", "amount": 5} | change)

    assert refused_fields(response) == [field]


@pytest.mark.parametrize("amount", [0, -5, 2**63, 1.5, None])
def test_a_deduct_that_does_not_validate_is_422(api, nothing_written, amount):
    with nothing_written():
        response = api.post(DEDUCT, {"participant_id": "user_123", "amount": amount})

    assert refused_fields(response) == ["amount"]


@pytest.mark.parametrize("path", [AWARD, DEDUCT])
@pytest.mark.parametrize("body", [{}, None])
def test_missing_fields_are_all_named(api, nothing_written, path, body):
    with nothing_written():
        response = api.post(path, body)

    assert refused_fields(response) == ["participant_id", "amount"]


@pytest.mark.parametrize(
    "given",
    [
        {"reason": None, "metadata": None, "idempotency_key": None},
        {"reason": ""},
        {"reason": "x" * 500},
        {"reason": "two\nlines, \u202e and 🎉"},
        {"metadata": {}},
        {"metadata": {"a": "x" * (16_384 - len('{"a":""}'))}},
        {"metadata": {"ü": [None, True, 1.5, {"deep": [[[]]]}]}},
        {"unknown_field": {"is": "ignored"}},
    ],
)
def test_optional_fields_are_stored_as_sent(api, given):
    response = api.post(AWARD, {"participant_id": "user_123", "amount": 5, **given})

    [transaction] = api.get("/participants/user_123/points/transactions").json()["transactions"]
    assert response.status_code == 200
    assert transaction["reason"] == given.get("reason")
    assert transaction["metadata"] == (given.get("metadata") or {})


def test_two_tenants_have_separate_balances(api, other_api):
    api.post(AWARD, {"participant_id": "user_123", "amount": 100})

    response = other_api.post(DEDUCT, {"participant_id": "user_123", "amount": 1})

    assert refusal(response)[1] == "insufficient_points"
    assert other_api.get("/participants/user_123/points").json()["balance"] == 0
    assert api.get("/participants/user_123/points").json()["balance"] == 100


def test_the_balance_of_the_spec(tenant, api):
    api.post(AWARD, {"participant_id": "user_123", "amount": 5000})
    api.post(DEDUCT, {"participant_id": "user_123", "amount": 3500})

    response = api.get("/participants/user_123/points")

    assert response.status_code == 200
    assert response.json() == {
        "participant_id": "user_123",
        "balance": 1500,
        "total_earned": 5000,
        "total_spent": 3500,
    }


def test_the_balance_of_an_unknown_participant_is_zero_and_creates_none(api, nothing_written):
    with nothing_written():
        response = api.get("/participants/unknown/points")

    assert response.status_code == 200
    assert response.json() == {"participant_id": "unknown", "balance": 0, "total_earned": 0, "total_spent": 0}


@pytest.mark.django_db(transaction=True)
def test_an_award_runs_eight_statements_and_a_read_two(api, queries):
    body = {"participant_id": "user_123", "amount": 5}
    api.post(AWARD, body)

    with queries(8):  # key; lock, version, idempotency; domain events, entry, idempotency key, participant
        api.post(AWARD, body | {"idempotency_key": "k"})
    with queries(2):
        api.get("/participants/user_123/points")


def test_a_write_moves_last_seen_and_keeps_first_seen(api):
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        api.post(AWARD, {"participant_id": "user_123", "amount": 5})
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False):
        api.post(DEDUCT, {"participant_id": "user_123", "amount": 5})

    profile = api.get("/participants/user_123").json()
    assert profile["first_seen_at"] == profile["created_at"] == "2026-01-01T00:00:00Z"
    assert profile["last_seen_at"] == "2026-02-14T10:00:00Z"
