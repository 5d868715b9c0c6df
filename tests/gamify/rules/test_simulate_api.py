import pytest
import time_machine

from participants.models import Participant
from tests.client import refusal, refused_fields
from tests.factories import ParticipantFactory, RuleFactory

SIMULATE = "/admin/rules/simulate"
BIG = {"condition": {"field": "amount", "operator": "gte", "value": 100}}


def purchase(**more):
    return {"event_name": "purchase", "properties": {"amount": 120}, **more}


def grants_in(answer):
    return [(given["type"], given["amount"], given["source"]["code"]) for given in answer.json()["rewards_granted"]]


@pytest.mark.parametrize(
    "participant", [{}, {"participant_id": None}, {"participant_id": "ada"}, {"participant_id": "new"}]
)
def test_it_returns_what_the_event_would_earn_and_why_and_writes_nothing(
    tenant, admin_api, nothing_written, participant
):
    ParticipantFactory(tenant=tenant, external_id="ada")
    RuleFactory(tenant=tenant, code="big", expression=BIG, limits={"ever": 1})
    RuleFactory(tenant=tenant, code="small", expression={"not": BIG})

    with nothing_written():
        first, second = (admin_api.post(SIMULATE, {**participant, "event": purchase()}) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200)
    assert grants_in(first) == grants_in(second) == [("points", 10, "big")]
    answer = first.json()
    assert (answer["event_id"], answer["fact_id"], answer["status"]) == (None, None, "processed")
    assert [(each["code"], each["result"]) for each in answer["trace"]["facts"][0]["heard"]] == [
        ("big", "matched"),
        ("small", "not_matched"),
    ]


def test_it_uses_the_participants_attributes_and_limits(tenant, api, admin_api):
    ParticipantFactory(tenant=tenant, external_id="ada", attributes={"plan": "pro"})
    pro = {"condition": {"field": "participant.plan", "operator": "eq", "value": "pro"}}
    RuleFactory(tenant=tenant, code="pro", expression=pro, limits={"ever": 1})
    body = {"participant_id": "ada", "event": purchase()}
    assert grants_in(admin_api.post(SIMULATE, body)) == [("points", 10, "pro")]

    api.post("/events", {"participant_id": "ada", **purchase()})

    answer = admin_api.post(SIMULATE, body)
    assert grants_in(answer) == []
    assert answer.json()["trace"]["facts"][0]["heard"][0]["result"] == "limited"


def test_schedules_use_the_time_of_the_event(tenant, admin_api):
    RuleFactory(tenant=tenant, code="february", starts_at="2026-02-01T00:00:00Z", ends_at="2026-03-01T00:00:00Z")

    with time_machine.travel("2026-03-05T00:00:00Z"):
        late = admin_api.post(SIMULATE, {"event": purchase(timestamp="2026-02-14T10:00:00Z")})
        today = admin_api.post(SIMULATE, {"event": purchase(timestamp=None)})

    assert grants_in(late) == [("points", 10, "february")]
    assert grants_in(today) == []


def test_an_event_without_listeners_has_an_empty_trace(tenant, admin_api):
    answer = admin_api.post(SIMULATE, {"event": {"event_name": "login"}})

    assert answer.json()["trace"] == {"facts": [], "granted": [], "refused": [], "cut": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "event"),
        ({"event": None}, "event"),
        ({"event": {}}, "event.event_name"),
        ({"event": purchase(properties=[1])}, "event.properties"),
        ({"event": purchase(timestamp="soon")}, "event.timestamp"),
        ({"event": purchase(timestamp="2199-01-01T00:00:00Z")}, "timestamp"),
        ({"participant_id": "", "event": purchase()}, "participant_id"),
        ({"participant_id": 7, "event": purchase()}, "participant_id"),
    ],
)
def test_an_invalid_event_is_422(tenant, admin_api, nothing_written, body, field):
    with nothing_written():
        assert refused_fields(admin_api.post(SIMULATE, body)) == [field]


def test_a_second_tenants_rules_and_participants_are_not_seen(tenant, other_tenant, other_admin_api):
    RuleFactory(tenant=tenant)
    ParticipantFactory(tenant=tenant, external_id="ada")

    assert grants_in(other_admin_api.post(SIMULATE, {"participant_id": "ada", "event": purchase()})) == []
    assert not Participant.objects.filter(tenant=other_tenant).exists()


def test_it_needs_the_admin_scope_and_cannot_be_read(api, admin_api):
    assert refusal(api.post(SIMULATE, {"event": purchase()}))[:2] == (403, "forbidden")
    assert refusal(admin_api.get(SIMULATE))[:2] == (405, "method_not_allowed")


def test_it_costs_three_queries(tenant, admin_api, queries):
    for _ in range(5):
        RuleFactory(tenant=tenant, limits={"per_day": 1})
    body = {"participant_id": "ada", "event": purchase()}
    admin_api.post(SIMULATE, body)

    with queries(4):  # key; participant, version, tallies
        admin_api.post(SIMULATE, body)
