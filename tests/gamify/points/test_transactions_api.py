import pytest
import time_machine

from gamify.points.models import LedgerEntry
from tests.client import refused_fields
from tests.factories import LedgerEntryFactory, ParticipantFactory

TRANSACTIONS = "/participants/user_123/points/transactions"


@pytest.fixture
def participant(tenant):
    return ParticipantFactory(tenant=tenant, external_id="user_123")


def balances(response):
    return [transaction["balance_after"] for transaction in response.json()["transactions"]]


def test_the_specs_second_page_of_156(participant, api):
    for _ in range(156):
        LedgerEntryFactory(participant=participant, delta=1)

    response = api.get(TRANSACTIONS + "?page=2&page_size=20")

    body = response.json()
    assert response.status_code == 200
    assert (body["participant_id"], body["total"], body["page"], body["page_size"]) == ("user_123", 156, 2, 20)
    assert balances(response) == list(range(136, 116, -1))


def test_pages_cover_everything_once_newest_first(participant, api):
    for _ in range(7):
        LedgerEntryFactory(participant=participant, delta=1)

    pages = [balances(api.get(f"{TRANSACTIONS}?page={page}&page_size=3")) for page in (1, 2, 3, 4)]

    assert pages == [[7, 6, 5], [4, 3, 2], [1], []]


def test_a_transaction_has_amount_delta_balance_reason_and_metadata(api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False):
        award = {"participant_id": "user_123", "amount": 100, "reason": "Purchase", "metadata": {"order": 1}}
        awarded = api.post("/points/award", award).json()
        deducted = api.post("/points/deduct", {"participant_id": "user_123", "amount": 30}).json()

    response = api.get(TRANSACTIONS)

    assert response.json() == {
        "participant_id": "user_123",
        "transactions": [
            {
                "id": deducted["transaction_id"],
                "type": "deduct",
                "amount": 30,
                "delta": -30,
                "balance_after": 70,
                "reason": None,
                "metadata": {},
                "created_at": "2026-02-14T10:00:00Z",
            },
            {
                "id": awarded["transaction_id"],
                "type": "award",
                "amount": 100,
                "delta": 100,
                "balance_after": 100,
                "reason": "Purchase",
                "metadata": {"order": 1},
                "created_at": "2026-02-14T10:00:00Z",
            },
        ],
        "total": 2,
        "page": 1,
        "page_size": 50,
    }


def test_entries_of_the_same_instant_keep_their_order(api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False):
        for _ in range(5):
            api.post("/points/award", {"participant_id": "user_123", "amount": 1})

    assert balances(api.get(TRANSACTIONS)) == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("query", ["", "?page=3", "?page=1000000000&page_size=100"])
def test_an_unknown_participant_has_none_and_is_not_created(api, nothing_written, query):
    with nothing_written():
        response = api.get(TRANSACTIONS + query)

    assert response.status_code == 200
    assert (response.json()["transactions"], response.json()["total"]) == ([], 0)


@pytest.mark.parametrize("page", [2, 1_000_000, 1_000_000_000])
def test_a_page_past_the_end_is_empty_and_has_the_total(participant, api, page):
    LedgerEntryFactory(participant=participant)

    response = api.get(f"{TRANSACTIONS}?page={page}&page_size=100")

    assert response.status_code == 200
    assert response.json() == {
        "participant_id": "user_123",
        "transactions": [],
        "total": 1,
        "page": page,
        "page_size": 100,
    }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=1.5", "page"),
        ("page=99999999999999999999", "page"),
        ("page=%00", "page"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("page_size=-20", "page_size"),
        ("page_size=all", "page_size"),
    ],
)
def test_page_and_page_size_out_of_range_are_422(participant, api, query, field):
    assert refused_fields(api.get(f"{TRANSACTIONS}?{query}")) == [field]


def test_unknown_query_parameters_are_ignored(participant, api):
    assert api.get(TRANSACTIONS + "?foo=1&page=1").status_code == 200


def test_another_tenants_entries_are_not_listed(participant, other_api):
    LedgerEntryFactory(participant=participant)

    assert other_api.get(TRANSACTIONS).json()["total"] == 0


@pytest.mark.parametrize(("page", "statements"), [(1, 3), (15, 3), (1000, 2)])
def test_every_page_takes_the_same_three_statements(participant, api, queries, page, statements):
    for _ in range(30):
        LedgerEntryFactory(participant=participant)
    api.get(TRANSACTIONS)

    with queries(statements):
        api.get(f"{TRANSACTIONS}?page={page}&page_size=2")


def test_the_sum_of_the_entries_is_the_balance(api):
    for path, amount in (("award", 100), ("deduct", 30), ("deduct", 71), ("award", 5), ("deduct", 75)):
        api.post(f"/points/{path}", {"participant_id": "user_123", "amount": amount})

    points = api.get("/participants/user_123/points").json()
    transactions = api.get(TRANSACTIONS).json()["transactions"]

    assert sum(transaction["delta"] for transaction in transactions) == points["balance"] == 0
    assert points["total_earned"] - points["total_spent"] == points["balance"]
    assert LedgerEntry.objects.count() == 4
