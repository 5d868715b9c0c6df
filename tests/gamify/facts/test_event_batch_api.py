import pytest
import time_machine

from gamify.facts.models import Event
from participants.models import IdempotencyKey, Participant
from tests.client import like, refusal
from tests.factories import ParticipantFactory

BATCH = "/events/batch"
ITEM = {"participant_id": "user_42", "event_name": "purchase_completed"}


def batch(*items):
    return {"events": list(items)}


def test_the_specs_batch(api):
    response = api.post(
        BATCH,
        {
            "events": [
                {
                    "participant_id": "user_42",
                    "event_name": "purchase_completed",
                    "properties": {"amount": 49.99},
                    "idempotency_key": "purchase_ord_001",
                },
                {
                    "participant_id": "user_42",
                    "event_name": "loyalty_signup",
                    "properties": {"channel": "email"},
                    "idempotency_key": "signup_user_42",
                },
            ]
        },
    )

    processed = {"event_id": ..., "fact_id": ..., "status": "processed", "rewards_granted": []}
    assert response.status_code == 200
    assert like(response.json(), {"processed": 2, "failed": 0, "results": [processed, processed]})
    assert list(Event.objects.order_by("id").values_list("name", flat=True)) == ["purchase_completed", "loyalty_signup"]
    assert Participant.objects.get().total_events == 2


def test_results_come_in_the_order_of_the_events_and_one_participant_may_come_often(api):
    names = ["a", "b", "c", "d", "e"]

    response = api.post(BATCH, batch(*({"participant_id": f"u{i % 2}", "event_name": n} for i, n in enumerate(names))))

    ids = [result["event_id"] for result in response.json()["results"]]
    assert [Event.objects.get(pk=event_id).name for event_id in ids] == names
    assert dict(Participant.objects.values_list("external_id", "total_events")) == {"u0": 3, "u1": 2}


@time_machine.travel("2026-02-14T10:00:00Z", tick=False)
def test_an_item_that_fails_leaves_the_others_and_makes_no_participant(api):
    items = [
        ITEM | {"participant_id": "early", "timestamp": "2026-02-14T10:05:00Z"},
        ITEM | {"participant_id": "future", "timestamp": "2026-02-14T10:05:01Z"},
        ITEM | {"participant_id": "ancient", "timestamp": "1969-12-31T23:59:59Z"},
        ITEM,
    ]

    body = api.post(BATCH, batch(*items)).json()

    failed = {"event_id": None, "fact_id": None, "status": "error", "rewards_granted": [], "code": "validation_error"}
    assert (body["processed"], body["failed"]) == (2, 2)
    assert [result["status"] for result in body["results"]] == ["processed", "error", "error", "processed"]
    assert body["results"][1] == {**failed, "error": "timestamp: Must not be more than 5 minutes in the future."}
    assert body["results"][2] == {**failed, "error": "timestamp: Must not be before 1970."}
    assert (body["results"][0]["error"], body["results"][0]["code"]) == (None, None)
    assert set(Participant.objects.values_list("external_id", flat=True)) == {"early", "user_42"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "events"),
        ({"events": None}, "events"),
        ({"events": {}}, "events"),
        ({"events": "x"}, "events"),
        ({"events": []}, "events"),
        ({"events": [ITEM] * 101}, "events"),
        ({"events": [1]}, "events.0"),
        ({"events": [ITEM, None]}, "events.1"),
        ({"events": [ITEM, {"participant_id": "user_1"}]}, "events.1.event_name"),
        ({"events": [{"event_name": "login"}]}, "events.0.participant_id"),
        ({"events": [ITEM | {"event_name": "x" * 101}]}, "events.0.event_name"),
        ({"events": [ITEM | {"properties": []}]}, "events.0.properties"),
        ({"events": [ITEM | {"timestamp": "soon"}]}, "events.0.timestamp"),
        ({"events": [ITEM | {"idempotency_key": ""}]}, "events.0.idempotency_key"),
        ({"events": [ITEM | {"properties": {"x": "\u0000"}}]}, "events.0.properties.x"),
    ],
)
def test_too_many_too_few_or_malformed_is_422_with_its_own_code_and_nothing_happens(api, nothing_written, body, field):
    with nothing_written():
        response = api.post(BATCH, body)

    status, code, detail = refusal(response)
    assert (status, code) == (422, "unprocessable_entity")
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert detail.startswith(f"{field}: ")


def test_a_batch_names_everything_that_is_wrong_with_it(api):
    response = api.post(BATCH, batch({}, ITEM, ITEM | {"event_name": ""}))

    assert [error["field"] for error in response.json()["errors"]] == [
        "events.0.participant_id",
        "events.0.event_name",
        "events.2.event_name",
    ]


@pytest.mark.parametrize("sent", [{"body": b"?"}, {"body": b"[]"}])
def test_a_body_that_is_not_a_json_object_is_400(api, sent):
    assert refusal(api.post(BATCH, **sent))[:2] == (400, "malformed_json")


@pytest.mark.parametrize("key", ["weekly", "", "a b", "ü", "k" * 256])
def test_the_header_is_ignored_even_if_malformed(api, key):
    answers = [api.post(BATCH, batch(ITEM), headers={"Idempotency-Key": key}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert not any("Idempotency-Replayed" in answer for answer in answers)
    assert Event.objects.count() == 2


def test_an_item_and_a_single_event_are_the_same_operation(api):
    item = ITEM | {"idempotency_key": "k"}

    single = api.post("/events", item).json()
    body = api.post(BATCH, batch(item, ITEM | {"idempotency_key": "k2"})).json()
    again = api.post("/events", ITEM, headers={"Idempotency-Key": "k2"})

    assert (body["processed"], body["failed"]) == (2, 0)
    assert body["results"][0] == {**single, "error": None, "code": None}
    assert body["results"][1] == {**again.json(), "error": None, "code": None}
    assert again["Idempotency-Replayed"] == "true"
    assert Event.objects.count() == 2


def test_the_same_key_twice_in_one_batch_is_one_event_and_two_equal_answers(api):
    item = ITEM | {"idempotency_key": "k"}

    body = api.post(BATCH, batch(item, item)).json()

    assert (body["processed"], body["failed"]) == (2, 0)
    assert body["results"][0] == body["results"][1]
    assert Event.objects.count() == IdempotencyKey.objects.count() == 1


def test_a_key_reused_for_another_event_fails_its_item_only(api):
    item = ITEM | {"idempotency_key": "k"}

    body = api.post(BATCH, batch(item, item | {"event_name": "login"}, item | {"participant_id": "user_43"})).json()

    assert [result["code"] for result in body["results"]] == [None, "IDEMPOTENCY_KEY_REUSED", None]
    assert (body["processed"], body["failed"]) == (2, 1)


def test_the_participants_cap_refuses_items_and_not_the_request(tenant, api):
    tenant.participant_writes_per_minute = 2
    tenant.save()

    response = api.post(BATCH, batch(*[ITEM] * 3, ITEM | {"participant_id": "user_43"}))

    assert response.status_code == 200
    assert [result["code"] for result in response.json()["results"]] == [
        None,
        None,
        "RATE_LIMIT_PARTICIPANT_EXCEEDED",
        None,
    ]
    assert Event.objects.count() == 3


def test_a_batch_belongs_to_its_tenant(tenant, api, other_api, other_tenant):
    ParticipantFactory(tenant=other_tenant, external_id="user_42")
    item = ITEM | {"idempotency_key": "k"}

    api.post(BATCH, batch(item))
    body = other_api.post(BATCH, batch(item)).json()

    assert body["processed"] == 1
    assert [Event.objects.filter(tenant=owner).count() for owner in (tenant, other_tenant)] == [1, 1]


def test_a_missing_key_is_401_and_a_disabled_tenant_403(tenant, api):
    assert refusal(api.post(BATCH, batch(ITEM), headers={"X-API-Key": ""}))[:2] == (401, "unauthorized")
    tenant.is_active = False
    tenant.save()

    assert refusal(api.post(BATCH, batch(ITEM)))[:2] == (403, "forbidden")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [1, 100])
def test_a_batch_runs_the_same_statements_whatever_its_size(api, queries, size):
    items = [ITEM | {"participant_id": f"user_{n}", "idempotency_key": f"k{n}"} for n in range(size)]
    api.post(
        BATCH, batch(*[item | {"idempotency_key": f"first {n}"} for n, item in enumerate(items)])
    )  # all are known then

    with queries(8):
        response = api.post(BATCH, batch(*items))

    assert response.json()["processed"] == size
