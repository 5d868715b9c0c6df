import re

import pytest

from gamify.points.models import LedgerEntry
from participants.models import DomainEvent, IdempotencyKey, Participant
from tests.client import refusal, refused_fields
from tests.conftest import all_rows
from tests.factories import ParticipantFactory

JANE, ADMIN_JANE = "/participants/user_123", "/admin/participants/user_123"


@pytest.fixture
def jane(api):
    """A participant with a profile, two ledger entries, domain events and an idempotency key."""
    api.post(
        "/participants",
        {
            "participant_id": "user_123",
            "display_name": "Jane Doe",
            "avatar_url": "https://example.com/jane.png",
            "attributes": {"email": "jane@example.com"},
            "timezone": "Europe/Berlin",
        },
    )
    words = {"reason": "Jane's birthday", "metadata": {"from": "jane@example.com"}}
    api.post("/points/award", {"participant_id": "user_123", "amount": 100, "idempotency_key": "jane-1", **words})
    api.post("/points/deduct", {"participant_id": "user_123", "amount": 30})


def test_the_specs_hard_delete_leaves_nothing_of_the_participant(tenant, api, admin_api, jane):
    participant_id = Participant.objects.get().pk

    response = admin_api.delete(ADMIN_JANE)

    assert response.status_code == 200
    assert response.json() == {"message": "Participant deleted", "participant_id": "user_123"}
    for model in (Participant, LedgerEntry, IdempotencyKey):
        assert not model.objects.exists()
    [event] = DomainEvent.objects.all()
    assert (event.type, event.participant_id, event.data) == (
        "participant.deleted",
        participant_id,
        {"participant_id": "user_123"},
    )


def test_after_a_hard_delete_the_id_is_as_if_never_seen(api, admin_api, jane):
    admin_api.delete(ADMIN_JANE)

    again = {"participant_id": "user_123", "amount": 5, "idempotency_key": "jane-1"}

    assert api.get(JANE).status_code == 404
    assert api.get(JANE + "/points").json()["balance"] == 0
    assert api.get(JANE + "/points/transactions").json()["total"] == 0
    award = api.post("/points/award", again)
    assert "Idempotency-Replayed" not in award
    assert award.json()["new_balance"] == 5


def test_the_specs_anonymize_answers_the_new_id_and_keeps_ledger_and_counts(api, admin_api, jane):
    before = api.get(JANE).json()

    response = admin_api.delete(ADMIN_JANE + "?anonymize=true")

    new_id = response.json()["participant_id"]
    assert response.status_code == 200
    assert set(response.json()) == {"message", "participant_id"}
    assert re.fullmatch("anon_[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", new_id)
    profile = api.get(f"/participants/{new_id}").json()
    assert profile["points"] == before["points"] == {"balance": 70, "total_earned": 100, "total_spent": 30}
    assert (profile["display_name"], profile["avatar_url"], profile["timezone"]) == (None, None, None)
    assert (profile["attributes"], profile["is_active"]) == ({}, False)
    assert profile["first_seen_at"] == before["first_seen_at"]


def test_an_anonymized_ledger_keeps_its_amounts_and_loses_its_texts(api, admin_api, jane):
    new_id = admin_api.delete(ADMIN_JANE + "?anonymize=true").json()["participant_id"]

    transactions = api.get(f"/participants/{new_id}/points/transactions").json()["transactions"]

    assert [(entry["delta"], entry["balance_after"]) for entry in transactions] == [(-30, 70), (100, 100)]
    assert all(entry["reason"] is None and entry["metadata"] == {} for entry in transactions)


def test_no_table_contains_the_data_of_an_anonymized_participant(api, admin_api, jane):
    admin_api.delete(ADMIN_JANE + "?anonymize=true")

    everything = repr(all_rows())

    for word in ("user_123", "Jane", "jane", "Berlin", "birthday"):
        assert word not in everything
    assert not IdempotencyKey.objects.exists()
    assert [event.type for event in DomainEvent.objects.all()] == ["participant.anonymized"]


def test_after_anonymizing_the_old_id_is_as_if_never_seen(api, admin_api, jane):
    admin_api.delete(ADMIN_JANE + "?anonymize=true")

    award = {"participant_id": "user_123", "amount": 5, "idempotency_key": "jane-1"}

    assert api.get(JANE).status_code == 404
    assert api.post("/points/award", award).json()["new_balance"] == 5
    assert Participant.objects.count() == 2


def test_the_anonymized_are_listed_as_inactive(api, admin_api, jane):
    new_id = admin_api.delete(ADMIN_JANE + "?anonymize=true").json()["participant_id"]

    [item] = admin_api.get("/admin/participants?is_active=false").json()["items"]

    assert (item["participant_id"], item["total_points"], item["available_points"]) == (new_id, 100, 70)
    assert admin_api.get("/admin/participants?search=jane").json()["total"] == 0


@pytest.mark.parametrize("query", ["", "?anonymize=false"])
def test_without_anonymize_it_is_a_hard_delete(admin_api, jane, query):
    admin_api.delete(ADMIN_JANE + query)

    assert not Participant.objects.exists()


@pytest.mark.parametrize("value", ["1", "0", "True", "False", "maybe", "2", "tru", "%00"])
def test_an_invalid_anonymize_value_deletes_no_participant(admin_api, jane, nothing_written, value):
    with nothing_written():
        response = admin_api.delete(f"{ADMIN_JANE}?anonymize={value}")

    assert refused_fields(response) == ["anonymize"]


@pytest.mark.parametrize("query", ["", "?anonymize=true"])
def test_an_unknown_participant_is_404(admin_api, nothing_written, query):
    with nothing_written():
        response = admin_api.delete("/admin/participants/unknown" + query)

    assert refusal(response) == (404, "participant_not_found", "Participant not found: unknown")


@pytest.mark.parametrize("query", ["", "?anonymize=true"])
def test_another_tenants_participant_is_404_and_stays(jane, other_admin_api, nothing_written, query):
    with nothing_written():
        response = other_admin_api.delete(ADMIN_JANE + query)

    assert refusal(response)[:2] == (404, "participant_not_found")


@pytest.mark.parametrize("query", ["", "?anonymize=true"])
def test_only_the_named_participant_is_erased(tenant, other_tenant, api, other_api, admin_api, jane, query):
    for owner in (tenant.sandbox, other_tenant):
        ParticipantFactory(tenant=owner, external_id="user_123", display_name="Other Jane", points=5)
    api.post("/points/award", {"participant_id": "user_1234", "amount": 7, "reason": "kept", "idempotency_key": "k"})
    batch = {"awards": [{"participant_id": "user_1234", "amount": 1}, {"participant_id": "user_123", "amount": 1}]}
    api.post("/points/award-batch", batch, headers={"Idempotency-Key": "weekly"})

    admin_api.delete(ADMIN_JANE + query)

    assert other_api.get(JANE).json()["display_name"] == "Other Jane"
    assert api.get("/participants/user_1234/points").json()["balance"] == 8
    assert api.get("/participants/user_1234/points/transactions").json()["transactions"][1]["reason"] == "kept"
    assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"k", "weekly"}


def test_a_second_anonymize_of_the_old_id_is_404(admin_api, jane):
    admin_api.delete(ADMIN_JANE + "?anonymize=true")

    assert admin_api.delete(ADMIN_JANE + "?anonymize=true").status_code == 404
