import pytest
import time_machine
from django.db import connection

from gamify.facts.models import Event
from participants.models import DomainEvent, IdempotencyKey, Participant
from tests.client import like, refusal, refused_fields
from tests.factories import ParticipantFactory

EVENTS = "/events"
BODY = {"participant_id": "user_42", "event_name": "purchase_completed"}


def header(key):
    return {"Idempotency-Key": key}


def test_the_events_pages_call_is_answered_as_printed(api):
    response = api.post(
        EVENTS,
        {
            "participant_id": "user_42",
            "event_name": "purchase_completed",
            "properties": {"amount": 49.99, "currency": "USD", "product_id": "prod_abc"},
            "timestamp": "2026-02-14T10:00:00Z",
        },
        headers=header("purchase_ord_001"),
    )

    assert response.status_code == 200
    assert like(response.json(), {"event_id": ..., "fact_id": ..., "status": "processed", "rewards_granted": []})


def test_the_overviews_call_with_a_body_key_is_answered_as_printed(api):
    response = api.post(
        EVENTS,
        {
            "participant_id": "user_123",
            "event_name": "purchase_completed",
            "properties": {"amount": 49.99, "currency": "USD", "product_id": "prod_abc"},
            "timestamp": "2026-02-14T10:00:00Z",
            "idempotency_key": "purchase_ord_001",
        },
    )

    assert response.status_code == 200
    assert like(response.json(), {"event_id": ..., "fact_id": ..., "status": "processed"})


def test_an_event_is_one_row_one_count_and_one_domain_event_whose_id_is_the_fact_id(tenant, api):
    answer = api.post(
        EVENTS, BODY | {"properties": {"amount": 49.99}, "timestamp": "2026-02-14T11:00:00.5+01:00"}
    ).json()

    event, participant = Event.objects.get(), Participant.objects.get()
    recorded = DomainEvent.objects.get(type="event.recorded")
    assert answer == {
        "event_id": str(event.pk),
        "fact_id": str(recorded.pk),
        "status": "processed",
        "rewards_granted": [],
    }
    assert (event.tenant, event.participant, event.name) == (tenant, participant, "purchase_completed")
    assert (event.properties, event.occurred_at.isoformat()) == ({"amount": 49.99}, "2026-02-14T10:00:00.500000+00:00")
    assert (participant.external_id, participant.total_events) == ("user_42", 1)
    assert recorded.data == {
        "participant_id": "user_42",
        "event_id": str(event.pk),
        "event_name": "purchase_completed",
        "properties": {"amount": 49.99},
        "timestamp": "2026-02-14T10:00:00.500000Z",
    }
    assert list(DomainEvent.objects.order_by("id").values_list("type", flat=True)) == [
        "participant.created",
        "event.recorded",
    ]


def test_the_profile_counts_events(tenant, api):
    ParticipantFactory(tenant=tenant, external_id="user_42", total_events=155)

    api.post(EVENTS, BODY)

    assert api.get("/participants/user_42").json()["total_events"] == 156


@pytest.mark.parametrize("given", [{}, {"properties": None, "timestamp": None, "idempotency_key": None}, {"more": 1}])
def test_only_participant_and_name_are_required(api, given):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False):
        response = api.post(EVENTS, BODY | given)

    event = Event.objects.get()
    assert response.status_code == 200
    assert (event.properties, event.occurred_at.isoformat()) == ({}, "2026-02-14T10:00:00+00:00")


@pytest.mark.parametrize(
    ("timestamp", "stored"),
    [
        ("2026-02-14T10:00:00", "2026-02-14T10:00:00+00:00"),
        ("2026-02-14T03:00:00-05:00", "2026-02-14T08:00:00+00:00"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00"),
        ("2026-02-14T10:05:00Z", "2026-02-14T10:05:00+00:00"),
    ],
)
@time_machine.travel("2026-02-14T10:00:00Z", tick=False)
def test_a_time_without_an_offset_is_utc(api, timestamp, stored):
    assert api.post(EVENTS, BODY | {"timestamp": timestamp}).status_code == 200

    assert Event.objects.get().occurred_at.isoformat() == stored


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"participant_id": None}, "participant_id"),
        ({"participant_id": ""}, "participant_id"),
        ({"participant_id": "x" * 256}, "participant_id"),
        ({"participant_id": "a\nb"}, "participant_id"),
        ({"participant_id": 5}, "participant_id"),
        ({"event_name": None}, "event_name"),
        ({"event_name": ""}, "event_name"),
        ({"event_name": " "}, "event_name"),
        ({"event_name": "x" * 101}, "event_name"),
        ({"event_name": "a\tb"}, "event_name"),
        ({"event_name": ["a"]}, "event_name"),
        ({"properties": "x"}, "properties"),
        ({"properties": [1]}, "properties"),
        ({"properties": {"x": "y" * 16_384}}, "properties"),
        ({"properties": {"x": "\u0000"}}, "properties.x"),
        ({"properties": {"x": 2**63}}, "properties.x"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": 1771063200}, "timestamp"),
        ({"timestamp": "2026-02-30T00:00:00Z"}, "timestamp"),
        ({"timestamp": "2026-02-14T10:05:01Z"}, "timestamp"),
        ({"timestamp": "9999-12-31T23:59:59-12:00"}, "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+12:00"}, "timestamp"),
        ({"timestamp": "1969-12-31T23:59:59Z"}, "timestamp"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"idempotency_key": "k" * 256}, "idempotency_key"),
    ],
)
@time_machine.travel("2026-02-14T10:00:00Z", tick=False)
def test_an_invalid_body_is_422_and_writes_nothing(api, nothing_written, given, field):
    with nothing_written():
        response = api.post(EVENTS, BODY | given)

    assert refused_fields(response) == [field]


@pytest.mark.parametrize(
    ("timestamp", "detail"),
    [
        ("2026-02-14T10:05:01Z", "timestamp: Must not be more than 5 minutes in the future."),
        ("1969-12-31T23:59:59Z", "timestamp: Must not be before 1970."),
    ],
)
@time_machine.travel("2026-02-14T10:00:00Z", tick=False)
def test_an_impossible_time_is_refused_with_a_sentence(api, timestamp, detail):
    assert refusal(api.post(EVENTS, BODY | {"timestamp": timestamp})) == (422, "validation_error", detail)


def test_a_name_of_100_characters_in_any_language_is_stored(api):
    name = "покупка_🎉" * 11

    api.post(EVENTS, BODY | {"event_name": name, "idempotency_key": "k"})

    assert Event.objects.get().name == name


@pytest.mark.parametrize("first", ["header", "body", "both"])
@pytest.mark.parametrize("second", ["header", "body", "both"])
def test_the_same_key_returns_the_same_answer_and_does_nothing(api, nothing_written, first, second):
    def send(where):
        body = BODY if where == "header" else BODY | {"idempotency_key": "k:1.2-3_4"}
        return api.post(EVENTS, body, headers={} if where == "body" else header("k:1.2-3_4"))

    original = send(first)
    with nothing_written():
        repeat = send(second)

    assert (original.status_code, repeat.status_code) == (200, 200)
    assert repeat.json() == original.json()
    assert "Idempotency-Replayed" not in original
    assert repeat["Idempotency-Replayed"] == "true"


def test_header_and_body_that_differ_are_refused(api, nothing_written):
    with nothing_written():
        response = api.post(EVENTS, BODY | {"idempotency_key": "one"}, headers=header("two"))

    assert refusal(response)[:2] == (400, "IDEMPOTENCY_KEY_MISMATCH")


@pytest.mark.parametrize("key", ["", "with space", "slash/", "k" * 256, "a,b"])
def test_a_malformed_header_is_refused(api, nothing_written, key):
    with nothing_written():
        response = api.post(EVENTS, BODY, headers=header(key))

    assert refusal(response)[:2] == (400, "IDEMPOTENCY_KEY_INVALID")


@pytest.mark.parametrize(
    "difference",
    [{"properties": {"try": 2}}, {"timestamp": "2026-02-13T00:00:00Z"}, {"timestamp": "9999-01-01T00:00:00Z"}],
)
def test_a_repeat_may_differ_in_properties_and_timestamp(api, nothing_written, difference):
    body = BODY | {"properties": {"try": 1}, "timestamp": "2026-02-14T10:00:00Z", "idempotency_key": "k"}
    first = api.post(EVENTS, body)

    with nothing_written():
        second = api.post(EVENTS, body | difference)

    assert second.json() == first.json()


@pytest.mark.parametrize("name", ["purchase_refunded", "x" * 100])
def test_a_repeat_with_another_event_name_is_refused_and_writes_nothing(api, nothing_written, name):
    api.post(EVENTS, BODY, headers=header("k"))

    with nothing_written():
        response = api.post(EVENTS, BODY | {"event_name": name}, headers=header("k"))

    assert refusal(response)[:2] == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_refused_event_may_be_corrected_and_sent_again_with_its_key(api):
    refused = api.post(EVENTS, BODY | {"timestamp": "9999-01-01T00:00:00Z"}, headers=header("k"))
    mended = api.post(EVENTS, BODY, headers=header("k"))

    assert refused_fields(refused) == ["timestamp"]
    assert mended.status_code == 200
    assert "Idempotency-Replayed" not in mended


def test_a_key_belongs_to_its_participant_its_operation_and_its_tenant(api, other_api):
    api.post(EVENTS, BODY, headers=header("k"))

    answers = [
        api.post(EVENTS, BODY | {"participant_id": "user_43"}, headers=header("k")),
        api.post("/points/award", {"participant_id": "user_42", "amount": 5}, headers=header("k")),
        other_api.post(EVENTS, BODY | {"event_name": "login"}, headers=header("k")),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert not any("Idempotency-Replayed" in answer for answer in answers)


def test_without_a_key_every_call_is_an_event(api):
    for _ in range(2):
        api.post(EVENTS, BODY)

    assert (Event.objects.count(), IdempotencyKey.objects.count()) == (2, 0)


def test_a_missing_or_unknown_key_is_401_and_a_disabled_tenant_403(tenant, api, nothing_written):
    with nothing_written():
        answers = [api.post(EVENTS, BODY, headers={"X-API-Key": key}) for key in ("", "bq_live_unknown")]
    tenant.is_active = False
    tenant.save()

    assert [refusal(answer)[:2] for answer in answers] == [(401, "unauthorized")] * 2
    assert refusal(api.post(EVENTS, BODY)) == (403, "forbidden", "Tenant is disabled")


def test_the_participants_cap_refuses_and_the_headers_show_the_limit(tenant, api):
    tenant.participant_writes_per_minute = 2
    tenant.save()

    answers = [api.post(EVENTS, BODY) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert refusal(answers[2])[1] == "RATE_LIMIT_PARTICIPANT_EXCEEDED"
    assert int(answers[2]["Retry-After"]) >= 1
    assert answers[0]["X-RateLimit-Limit"] == "2"
    assert Event.objects.count() == 2


def test_the_sandbox_and_other_tenants_are_separate(tenant, api, sandbox_api, other_api, other_tenant):
    for client in (api, sandbox_api, sandbox_api, other_api):
        client.post(EVENTS, BODY)

    assert [Event.objects.filter(tenant=owner).count() for owner in (tenant, tenant.sandbox, other_tenant)] == [1, 2, 1]
    assert set(Participant.objects.values_list("total_events", flat=True)) == {1, 2}


@pytest.mark.django_db(transaction=True)
def test_an_event_takes_the_statements_of_an_award_without_tiers(api, queries):
    api.post("/points/award", {"participant_id": "somebody", "amount": 1})  # has the process read the definitions
    api.post(EVENTS, BODY | {"participant_id": "somebody"})

    # On PostgreSQL the look-up of a key that is cached brings the version of the definitions.
    number = 7 if connection.vendor == "postgresql" else 8
    with queries(number):
        api.post("/points/award", {"participant_id": "new", "amount": 1, "idempotency_key": "k"})
    with queries(number):
        api.post(EVENTS, BODY | {"participant_id": "newer", "idempotency_key": "k"})


@pytest.mark.parametrize("anonymize", [False, True])
def test_erasing_deletes_events_and_anonymising_leaves_name_and_time(api, admin_api, anonymize):
    api.post(EVENTS, BODY | {"properties": {"email": "ada@example.com"}, "idempotency_key": "k"})
    api.post(EVENTS, BODY | {"participant_id": "other", "properties": {"kept": True}})

    admin_api.delete(f"/admin/participants/user_42?anonymize={str(anonymize).lower()}")

    found = {
        event.participant.external_id[:5]: event.properties for event in Event.objects.select_related("participant")
    }
    assert found == {"other": {"kept": True}} | ({"anon_": {}} if anonymize else {})
    assert "ada@example.com" not in str(list(DomainEvent.objects.values_list("data", flat=True)))
