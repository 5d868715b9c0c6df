import pytest

from gamify.points.models import LedgerEntry
from participants.models import IdempotencyKey, Participant
from tests.client import like, refusal, refused_fields
from tests.factories import ParticipantFactory

BATCH = "/points/award-batch"


def awards(*items):
    return {"awards": [{"participant_id": participant_id, "amount": amount} for participant_id, amount in items]}


def test_the_specs_batch(tenant, api):
    for participant_id, points in (("user_1", 400), ("user_2", 250), ("user_3", 150)):
        ParticipantFactory(tenant=tenant, external_id=participant_id, points=points)

    response = api.post(
        BATCH,
        {
            "awards": [
                {"participant_id": "user_1", "amount": 100, "reason": "Weekly bonus"},
                {"participant_id": "user_2", "amount": 100, "reason": "Weekly bonus"},
                {"participant_id": "user_3", "amount": 50, "reason": "Referral bonus"},
            ]
        },
    )

    assert response.status_code == 200
    assert like(
        response.json(),
        {
            "processed": 3,
            "failed": 0,
            "results": [
                {"participant_id": "user_1", "transaction_id": ..., "new_balance": 500, "error": None},
                {"participant_id": "user_2", "transaction_id": ..., "new_balance": 350, "error": None},
                {"participant_id": "user_3", "transaction_id": ..., "new_balance": 200, "error": None},
            ],
        },
    )


def test_the_same_participant_twice_counts_twice_in_the_order_sent(api):
    response = api.post(BATCH, awards(("zoe", 1), ("adam", 10), ("zoe", 2), ("adam", 20), ("zoe", 4)))

    results = response.json()["results"]
    assert [(result["participant_id"], result["new_balance"]) for result in results] == [
        ("zoe", 1),
        ("adam", 10),
        ("zoe", 3),
        ("adam", 30),
        ("zoe", 7),
    ]
    assert len({result["transaction_id"] for result in results}) == LedgerEntry.objects.count() == 5
    assert Participant.objects.count() == 2


@pytest.mark.parametrize("size", [1, 100])
def test_one_to_a_hundred_items_are_awarded(api, size):
    response = api.post(BATCH, awards(*((f"user_{number}", number + 1) for number in range(size))))

    assert (response.json()["processed"], response.json()["failed"]) == (size, 0)
    assert [result["new_balance"] for result in response.json()["results"]] == list(range(1, size + 1))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "awards"),
        ({"awards": None}, "awards"),
        ({"awards": {}}, "awards"),
        ({"awards": "x"}, "awards"),
        ({"awards": []}, "awards"),
        (awards(*[("user_1", 1)] * 101), "awards"),
        ({"awards": [1]}, "awards.0"),
        ({"awards": [None]}, "awards.0"),
        ({"awards": [{"participant_id": "user_1"}]}, "awards.0.amount"),
        ({"awards": [*awards(("user_1", 1))["awards"], {"amount": 1}]}, "awards.1.participant_id"),
        (awards(("user_1", 1), ("user_2", 0)), "awards.1.amount"),
        (awards(("user_1", 1), ("user_2", 1_000_001)), "awards.1.amount"),
        (awards(("user_1", 1), ("x" * 256, 1)), "awards.1.participant_id"),
        (awards(*[("user_1", 1)] * 99, ("user\n2", 1)), "awards.99.participant_id"),
    ],
)
def test_a_batch_that_is_too_large_empty_or_malformed_is_422_and_changes_nothing(api, nothing_written, body, field):
    with nothing_written():
        response = api.post(BATCH, body)

    assert refused_fields(response) == [field]


def test_a_batch_names_everything_that_is_wrong_with_it(api):
    response = api.post(BATCH, {"awards": [{"amount": 0}, {"participant_id": "user_1", "amount": 1}, {}]})

    assert refused_fields(response) == [
        "awards.0.participant_id",
        "awards.0.amount",
        "awards.2.participant_id",
        "awards.2.amount",
    ]


def test_an_item_that_fails_does_not_affect_the_others_and_creates_no_participant(tenant, api):
    ParticipantFactory(tenant=tenant, external_id="full", points=2**63 - 1)

    response = api.post(BATCH, awards(("user_1", 5), ("full", 1), ("user_2", 6)))

    body = response.json()
    assert response.status_code == 200
    assert (body["processed"], body["failed"]) == (2, 1)
    assert like(
        body["results"][1],
        {"participant_id": "full", "transaction_id": None, "new_balance": None, "error": ..., "code": "balance_limit"},
    )
    assert [result["error"] is None for result in body["results"]] == [True, False, True]


def test_an_item_and_a_single_call_are_the_same_operation(api):
    item = {"participant_id": "user_1", "amount": 5, "idempotency_key": "k"}

    single = api.post("/points/award", item)
    batch = api.post(BATCH, {"awards": [item, {"participant_id": "user_2", "amount": 1, "idempotency_key": "k2"}]})
    again = api.post("/points/award", {"participant_id": "user_2", "amount": 1, "idempotency_key": "k2"})

    body = batch.json()
    assert (body["processed"], body["failed"]) == (2, 0)
    assert body["results"][0]["transaction_id"] == single.json()["transaction_id"]
    assert body["results"][1]["transaction_id"] == again.json()["transaction_id"]
    assert again["Idempotency-Replayed"] == "true"
    assert LedgerEntry.objects.count() == 2


def test_the_same_key_twice_in_one_batch_is_one_award_and_two_equal_answers(api):
    item = {"participant_id": "user_1", "amount": 5, "idempotency_key": "k"}

    body = api.post(BATCH, {"awards": [item, item]}).json()

    assert (body["processed"], body["failed"]) == (2, 0)
    assert body["results"][0] == body["results"][1]
    assert LedgerEntry.objects.count() == IdempotencyKey.objects.count() == 1


def test_a_key_reused_for_another_amount_fails_its_item_only(api):
    item = {"participant_id": "user_1", "amount": 5, "idempotency_key": "k"}

    body = api.post(BATCH, {"awards": [item, item | {"amount": 6}, item | {"participant_id": "user_2"}]}).json()

    assert (body["processed"], body["failed"]) == (2, 1)
    assert [result["code"] for result in body["results"]] == [None, "IDEMPOTENCY_KEY_REUSED", None]
    assert api.get("/participants/user_1/points").json()["balance"] == 5


def test_the_header_makes_the_whole_batch_idempotent(api, nothing_written):
    headers = {"Idempotency-Key": "weekly"}
    first = api.post(BATCH, awards(("user_1", 5), ("user_2", 6)), headers=headers)

    with nothing_written():
        second = api.post(BATCH, awards(("user_1", 5), ("user_2", 6)), headers=headers)

    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert second.json() == first.json()


@pytest.mark.parametrize(
    "items", [[("user_1", 5)], [("user_1", 5), ("user_2", 7)], [("user_2", 6), ("user_1", 5)], [("user_1", 5)] * 3]
)
def test_the_header_reused_for_another_batch_is_422_and_changes_nothing(api, nothing_written, items):
    headers = {"Idempotency-Key": "weekly"}
    api.post(BATCH, awards(("user_1", 5), ("user_2", 6)), headers=headers)

    with nothing_written():
        response = api.post(BATCH, awards(*items), headers=headers)

    assert refusal(response)[:2] == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_batch_that_failed_altogether_may_be_sent_again_under_its_key(tenant, api):
    full = ParticipantFactory(tenant=tenant, external_id="full", points=2**63 - 1)
    headers = {"Idempotency-Key": "weekly"}
    assert api.post(BATCH, awards(("full", 5)), headers=headers).json()["processed"] == 0
    full.delete()

    again = api.post(BATCH, awards(("full", 5)), headers=headers)

    assert ("Idempotency-Replayed" in again, again.json()["processed"]) == (False, 1)


def test_a_replayed_batch_includes_its_failed_items(tenant, api):
    ParticipantFactory(tenant=tenant, external_id="full", points=2**63 - 1)
    headers = {"Idempotency-Key": "weekly"}

    first = api.post(BATCH, awards(("user_1", 5), ("full", 1)), headers=headers)
    second = api.post(BATCH, awards(("user_1", 5), ("full", 1)), headers=headers)

    assert second.json() == first.json()
    assert second.json()["failed"] == 1


def test_the_headers_of_a_batch_and_of_a_single_call_are_different_operations(api):
    headers = {"Idempotency-Key": "k"}

    api.post(BATCH, awards(("user_1", 5)), headers=headers)
    single = api.post("/points/award", {"participant_id": "user_1", "amount": 5}, headers=headers)

    assert "Idempotency-Replayed" not in single
    assert single.json()["new_balance"] == 10


def test_the_header_of_a_batch_is_one_per_tenant(api, other_api):
    headers = {"Idempotency-Key": "weekly"}

    api.post(BATCH, awards(("user_1", 5)), headers=headers)
    response = other_api.post(BATCH, awards(("user_1", 9)), headers=headers)

    assert response.json()["results"][0]["new_balance"] == 9


@pytest.mark.parametrize("key", ["", "a b", "ü", "k" * 256, "k/1"])
def test_a_malformed_header_is_refused(api, nothing_written, key):
    with nothing_written():
        response = api.post(BATCH, awards(("user_1", 5)), headers={"Idempotency-Key": key})

    assert refusal(response)[:2] == (400, "IDEMPOTENCY_KEY_INVALID")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [1, 100])
def test_the_number_of_statements_does_not_grow_with_the_batch(api, queries, size):
    api.post(
        BATCH, {"awards": [{"participant_id": "somebody", "amount": 1}]}
    )  # so that the process has read the catalog
    items = [{"participant_id": f"user_{n}", "amount": 1, "idempotency_key": f"k{n}"} for n in range(size)]

    with queries(8):
        response = api.post(BATCH, {"awards": items})

    assert response.json()["processed"] == size
