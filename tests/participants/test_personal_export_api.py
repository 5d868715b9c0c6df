"""All data of one participant: `GET admin/participants/{id}/export`, and the same file in the console."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag

import pytest
from django.db import transaction
from django.utils import timezone

from gamify.facts.models import Event
from participants.models import ConfigurationChange
from participants.services import personal_data, personal_export
from participants.services.participants import delete
from participants.services.personal_export import ErasedMeanwhile
from tests.client import Api, refusal
from tests.console import Console, staff, trail
from tests.factories import EventFactory, LedgerEntryFactory, ParticipantFactory, made_key
from tests.threads import in_own_connection, wait_until_a_lock_is_awaited

EXPORT = "/admin/participants/user_123/export"
MAY_EXPORT = ("participants.view_participant", "participants.export_participant")


@pytest.fixture
def jane(tenant):
    return ParticipantFactory(
        tenant=tenant, external_id="user_123", display_name="Jane Doe", attributes={"plan": "gold"}, points=100
    )


def body_of(answer):
    assert answer.status_code == 200, answer
    return json.loads(b"".join(answer.streaming_content))


def test_the_export_has_the_profile_and_each_table(admin_api, api, jane):
    api.post("/events", {"participant_id": "user_123", "event_name": "visit", "properties": {"page": "/pricing"}})

    answer = admin_api.get(EXPORT)
    body = body_of(answer)

    assert answer["Content-Type"] == "application/json"
    assert body["participant_id"] == "user_123"
    assert body["profile"]["display_name"] == "Jane Doe"
    assert (body["profile"]["attributes"], body["profile"]["balance"]) == ({"plan": "gold"}, 100)
    assert [(entry["number"], entry["delta"]) for entry in body["ledger_entries"]] == [(1, 100)]
    [event] = body["events"]
    assert (event["name"], event["properties"], event["actor"]["kind"]) == ("visit", {"page": "/pricing"}, "api_key")
    assert body["challenges"] == []


def test_the_numbers_in_it_are_exact(admin_api, jane):
    LedgerEntryFactory(participant=jane, delta=5, multiplier="1.2500", metadata={"price": 12345678901234567.5})

    text = b"".join(admin_api.get(EXPORT).streaming_content)

    assert b'"multiplier":1.2500' in text


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_pages_have_each_row_once_and_in_order(admin_api, jane, monkeypatch, size):
    monkeypatch.setattr(personal_data, "PAGE", size)
    entries = [LedgerEntryFactory(participant=jane, delta=number) for number in range(1, 4)]
    at = jane.first_seen_at
    events = [EventFactory(participant=jane, name=f"e{number}", occurred_at=at) for number in range(4)]

    body = body_of(admin_api.get(EXPORT))

    assert [entry["delta"] for entry in body["ledger_entries"]] == [100, *(entry.delta for entry in entries)]
    assert [event["id"] for event in body["events"]] == [str(event.pk) for event in events]


def test_a_page_of_rows_takes_one_statement(admin_api, jane, monkeypatch, django_assert_num_queries):
    table = personal_data.PersonalTable(Event, "events", order=("occurred_at", "id"))
    monkeypatch.setattr(personal_data, "PAGE", 2)
    for _ in range(5):
        EventFactory(participant=jane)

    with django_assert_num_queries(3):
        pages = [len(page) for page in table.pages(jane)]

    assert pages == [2, 2, 1]


def test_the_change_log_says_who_exported_whose_data_and_not_what(admin_api, jane):
    admin_api.get(EXPORT, headers={"X-Request-Id": "r-1", "X-Change-Reason": "Ticket 7"})

    [item] = admin_api.get("/admin/changes?object_type=participant_export").json()["items"]
    assert (item["code"], item["object_id"], item["changes"]) == ("user_123", str(jane.pk), {})
    assert (item["actor"]["kind"], item["request_id"], item["reason"]) == ("api_key", "r-1", "Ticket 7")
    assert "Jane" not in json.dumps(item)


def test_the_export_lists_the_exports(admin_api, jane):
    admin_api.get(EXPORT, headers={"X-Request-Id": "r-1"})

    body = body_of(admin_api.get(EXPORT, headers={"X-Request-Id": "r-2"}))

    assert [each["request_id"] for each in body["exports"]] == ["r-1", "r-2"]


@pytest.mark.parametrize("query", ["", "?anonymize=true"])
def test_after_an_erasure_the_change_log_has_no_id_of_the_client(admin_api, jane, query):
    admin_api.get(EXPORT)

    admin_api.delete(f"/admin/participants/user_123{query}")

    assert ConfigurationChange.objects.get(object_type="participant_export").code == str(jane.pk)


def test_an_unknown_participant_is_404_and_nothing_is_noted(admin_api, nothing_written):
    with nothing_written():
        response = admin_api.get("/admin/participants/unknown/export")

    assert refusal(response) == (404, "participant_not_found", "Participant not found: unknown")


def test_another_tenants_participant_is_404(jane, other_admin_api, nothing_written):
    with nothing_written():
        response = other_admin_api.get(EXPORT)

    assert refusal(response)[:2] == (404, "participant_not_found")


def test_a_key_without_the_admin_scope_is_refused(api, jane, nothing_written):
    with nothing_written():
        response = api.get(EXPORT)

    assert response.status_code == 403


def test_an_id_with_a_slash_works(admin_api, tenant):
    ParticipantFactory(tenant=tenant, external_id="team/7/export")

    assert body_of(admin_api.get("/admin/participants/team%2F7%2Fexport/export"))["participant_id"] == "team/7/export"


def test_the_console_downloads_the_same_and_adds_to_the_audit_trail(tenant, jane):
    console = Console(tenant, user=staff(*MAY_EXPORT))

    answer = console.post("participants_participant_export", jane.pk)

    assert body_of(answer)["profile"]["display_name"] == "Jane Doe"
    assert answer["Content-Disposition"] == f'attachment; filename="participant-{jane.pk}.json"'
    assert trail() == [(f"Participant {jane.pk}", 2, "Exported all their data.")]
    assert ConfigurationChange.objects.get(object_type="participant_export").actor == f"staff:{console.user.pk}"


def test_only_users_with_the_permission_see_the_button_and_the_file(tenant, jane, nothing_written):
    console = Console(tenant, user=staff("participants.view_participant"))

    assert "Export data" not in console.get("participants_participant_change", jane.pk).content.decode()
    with nothing_written():
        assert console.post("participants_participant_export", jane.pk).status_code == 403


def test_the_console_shows_the_export_among_the_changes(tenant, jane, admin_api):
    admin_api.get(EXPORT)

    answer = Console(tenant).get("participants_configurationchange_changelist", object_type="participant_export")

    text = answer.content.decode()
    assert "participant export user_123" in text
    assert "exported" in text


# --- erasure ----------------------------------------------------------------------------------------------------------

ERASURES = pytest.mark.parametrize("query", ["", "?anonymize=true"])


@ERASURES
def test_of_a_participant_who_is_erased_before_anything_is_sent_nothing_is_sent(admin_api, jane, monkeypatch, query):
    record = personal_export._record

    def record_and_erase(**given):
        participant = record(**given)
        admin_api.delete(f"/admin/participants/user_123{query}")
        return participant

    monkeypatch.setattr(personal_export, "_record", record_and_erase)

    answer = admin_api.get(EXPORT)

    assert refusal(answer) == (404, "participant_not_found", "Participant not found: user_123")


@ERASURES
def test_an_export_ends_early_when_the_participant_is_erased_meanwhile(admin_api, jane, query):
    chunks = iter(admin_api.get(EXPORT).streaming_content)
    assert b"Jane" in next(chunks)
    admin_api.delete(f"/admin/participants/user_123{query}")

    assert b"Jane" not in next(chunks), "the name of the next section"
    with pytest.raises(ErasedMeanwhile):
        next(chunks)


def test_a_new_participant_with_the_same_id_is_not_mixed_with_the_erased_one(admin_api, api, jane):
    chunks = iter(admin_api.get(EXPORT).streaming_content)
    next(chunks)
    admin_api.delete("/admin/participants/user_123")
    api.post("/points/award", {"participant_id": "user_123", "amount": 5})

    with pytest.raises(ErasedMeanwhile):
        b"".join(chunks)


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_an_export_waits_for_an_erasure_that_is_under_way_and_does_not_record_the_id_after_it(tenant):
    ParticipantFactory(tenant=tenant, external_id="user_123")
    admin_api = Api(made_key(tenant, "admin").key)
    is_erased, may_commit = Flag(), Flag()

    def erase():
        with transaction.atomic():
            delete(tenant=tenant, external_id="user_123", now=timezone.now())
            is_erased.set()
            may_commit.wait(30)

    with ThreadPoolExecutor(2) as pool:
        erasing = pool.submit(in_own_connection, erase)
        is_erased.wait(30)
        exporting = pool.submit(in_own_connection, lambda: admin_api.get(EXPORT).status_code)
        wait_until_a_lock_is_awaited()
        may_commit.set()
        erasing.result(timeout=30)

        assert exporting.result(timeout=30) == 404
    assert not ConfigurationChange.objects.filter(object_type="participant_export").exists()


# --- caches -----------------------------------------------------------------------------------------------------------


def test_no_cache_stores_the_data(tenant, admin_api, jane):
    answers = [
        admin_api.get(EXPORT),
        Console(tenant, user=staff(*MAY_EXPORT)).post("participants_participant_export", jane.pk),
    ]

    assert all({"private", "no-store"} <= set(answer["Cache-Control"].split(", ")) for answer in answers)
