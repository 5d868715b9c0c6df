import pytest

from gamify.points.models import LedgerEntry
from participants.models import IdempotencyKey
from tests.client import like, refusal, refused_fields
from tests.factories import ParticipantFactory

AWARD, DEDUCT = "/points/award", "/points/deduct"
BODY = {"participant_id": "user_123", "amount": 100}


def header(key):
    return {"Idempotency-Key": key}


def test_the_specs_second_call_with_the_same_key_returns_the_same_result(api, nothing_written):
    body = {"participant_id": "user_123", "amount": 100, "idempotency_key": "purchase_ord_001"}
    first = api.post(AWARD, body)

    with nothing_written():
        second = api.post(AWARD, body)

    assert like(first.json(), {"transaction_id": ..., "new_balance": 100})
    assert second.json() == first.json()
    assert (first.status_code, second.status_code) == (200, 200)
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("path", [AWARD, DEDUCT])
@pytest.mark.parametrize("first", ["header", "body", "both"])
@pytest.mark.parametrize("second", ["header", "body", "both"])
def test_header_and_body_key_are_one_and_the_same(tenant, api, path, first, second):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=1000)

    def send(where):
        body = BODY if where == "header" else BODY | {"idempotency_key": "k:1.2-3_4"}
        return api.post(path, body, headers={} if where == "body" else header("k:1.2-3_4"))

    answers = [send(first), send(second)]

    assert answers[0].json() == answers[1].json()
    assert LedgerEntry.objects.filter(number__gt=1).count() == 1


@pytest.mark.parametrize("path", [AWARD, DEDUCT])
def test_header_and_body_that_differ_are_refused(api, nothing_written, path):
    with nothing_written():
        response = api.post(path, BODY | {"idempotency_key": "one"}, headers=header("two"))

    assert refusal(response)[:2] == (400, "IDEMPOTENCY_KEY_MISMATCH")


@pytest.mark.parametrize("path", [AWARD, DEDUCT])
@pytest.mark.parametrize("key", ["", "with space", "slash/", "ümlaut", "tab\t1", "k" * 256, "a,b", "\u2713"])
def test_a_malformed_header_is_refused(api, nothing_written, path, key):
    with nothing_written():
        response = api.post(path, BODY, HTTP_IDEMPOTENCY_KEY=key.encode().decode("latin-1"))

    assert refusal(response)[:2] == (400, "IDEMPOTENCY_KEY_INVALID")


@pytest.mark.parametrize("key", ["k", "k" * 255, "AZaz09_-:."])
def test_every_wellformed_header_is_honoured(api, key):
    api.post(AWARD, BODY, headers=header(key))

    assert api.post(AWARD, BODY, headers=header(key))["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("key", [" ", "with space", "ümlaut 🎉", "k" * 255, "a/b", "1\n2"])
def test_a_body_key_may_be_any_text(api, key):
    first = api.post(AWARD, BODY | {"idempotency_key": key})
    second = api.post(AWARD, BODY | {"idempotency_key": key})

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()


def test_body_keys_are_not_trimmed(api):
    api.post(AWARD, BODY | {"idempotency_key": "k"})

    assert api.post(AWARD, BODY | {"idempotency_key": " k"}).json()["new_balance"] == 200


def test_keys_are_case_sensitive(api):
    api.post(AWARD, BODY, headers=header("k"))

    assert api.post(AWARD, BODY, headers=header("K")).json()["new_balance"] == 200


@pytest.mark.parametrize(
    "difference", [{"reason": "another"}, {"metadata": {"try": 2}}, {"unknown": 1}, {"reason": None, "metadata": None}]
)
def test_a_repeat_may_differ_in_reason_and_metadata(api, nothing_written, difference):
    body = BODY | {"reason": "first", "metadata": {"try": 1}, "idempotency_key": "k"}
    first = api.post(AWARD, body)

    with nothing_written():
        second = api.post(AWARD, body | difference)

    assert second.json() == first.json()


@pytest.mark.parametrize("path", [AWARD, DEDUCT])
def test_a_repeat_with_another_amount_is_422_and_writes_nothing(tenant, api, nothing_written, path):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=1000)
    api.post(path, BODY, headers=header("k"))

    with nothing_written():
        response = api.post(path, BODY | {"amount": 101}, headers=header("k"))

    assert refusal(response)[:2] == (422, "IDEMPOTENCY_KEY_REUSED")
    assert api.post(path, BODY, headers=header("k"))["Idempotency-Replayed"] == "true"


def test_a_repeat_answers_the_original_balance(api):
    first = api.post(AWARD, BODY, headers=header("k"))
    api.post(AWARD, BODY)

    second = api.post(AWARD, BODY, headers=header("k"))

    assert second.json() == first.json()
    assert second.json()["new_balance"] == 100


def test_a_retry_that_emptied_the_account_replays_its_success(tenant, api):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=100)

    first = api.post(DEDUCT, BODY, headers=header("k"))
    second = api.post(DEDUCT, BODY, headers=header("k"))

    assert second.json() == first.json()
    assert second.json()["new_balance"] == 0


def test_a_failure_is_not_stored_and_the_key_can_be_used_again(api):
    refused = api.post(DEDUCT, BODY, headers=header("k"))
    api.post(AWARD, BODY)
    mended = api.post(DEDUCT, BODY, headers=header("k"))

    assert refusal(refused)[1] == "insufficient_points"
    assert mended.status_code == 200
    assert "Idempotency-Replayed" not in mended


def test_an_invalid_request_may_be_corrected_and_sent_again_under_its_key(api):
    refused = api.post(AWARD, BODY | {"amount": 0}, headers=header("k"))
    mended = api.post(AWARD, BODY, headers=header("k"))

    assert refused_fields(refused) == ["amount"]
    assert mended.json()["new_balance"] == 100


def test_a_key_belongs_to_its_participant(api):
    api.post(AWARD, BODY, headers=header("k"))

    response = api.post(AWARD, {"participant_id": "user_124", "amount": 5}, headers=header("k"))

    assert "Idempotency-Replayed" not in response
    assert response.json()["new_balance"] == 5


def test_a_key_belongs_to_its_operation(api):
    api.post(AWARD, BODY, headers=header("k"))

    response = api.post(DEDUCT, BODY, headers=header("k"))

    assert "Idempotency-Replayed" not in response
    assert response.json()["new_balance"] == 0


def test_a_key_belongs_to_its_tenant(api, other_api):
    api.post(AWARD, BODY, headers=header("k"))

    response = other_api.post(AWARD, BODY | {"amount": 3}, headers=header("k"))

    assert "Idempotency-Replayed" not in response
    assert response.json()["new_balance"] == 3


def test_another_key_of_the_same_tenant_replays(api, admin_api):
    first = api.post(AWARD, BODY, headers=header("k"))

    assert admin_api.post(AWARD, BODY, headers=header("k")).json() == first.json()


def test_without_a_key_every_call_counts(api):
    api.post(AWARD, BODY)
    api.post(AWARD, BODY | {"idempotency_key": None})

    assert api.get("/participants/user_123/points").json()["balance"] == 200
    assert IdempotencyKey.objects.count() == 0


def test_endpoints_without_idempotency_ignore_the_header_even_a_malformed_one(api, admin_api):
    malformed = header("not a key")

    assert api.post("/participants", {"participant_id": "user_123"}, headers=malformed).status_code == 201
    assert api.patch("/participants/user_123", {}, headers=malformed).status_code == 200
    assert api.get("/participants/user_123", headers=malformed).status_code == 200
    assert admin_api.delete("/admin/participants/user_123", headers=malformed).status_code == 200
