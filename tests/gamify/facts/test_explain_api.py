"""The explanation of an event: why it earned what it did."""

from datetime import UTC, datetime

import pytest
import time_machine

from gamify.facts.models import PRUNED, Event
from streaks.services import create_streak
from tests.client import refusal
from tests.factories import EventFactory, ParticipantFactory

NOW = datetime(2026, 2, 14, 8, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def big_spenders(tenant):
    expression = {"condition": {"field": "amount", "operator": "gte", "value": 100}}
    data = {"code": "big", "name": "Big", "event_types": ["purchase"], "expression": expression}
    create_streak(tenant=tenant, data=data, now=NOW)
    tenant.refresh_from_db()


def explained(api, **properties):
    body = {"participant_id": "ada", "event_name": "purchase", "properties": properties}
    event_id = api.post("/events", body).json()["event_id"]
    answer = api.get(f"/events/{event_id}/explain")
    assert answer.status_code == 200, answer.content
    return answer.json()


def condition_result(*, holds, **actual):
    return [{"field": "amount", "operator": "gte", "expected": 100, **actual, "holds": holds}]


@pytest.mark.parametrize(
    ("properties", "entry"),
    [
        (
            {"amount": 100},
            {"result": "counted", "note": "1 in a row", "conditions": condition_result(actual=100, holds=True)},
        ),
        ({"amount": 99}, {"result": "not_matched", "conditions": condition_result(actual=99, holds=False)}),
        ({}, {"result": "not_matched", "conditions": condition_result(holds=False)}),
    ],
)
def test_every_condition_is_explained_with_the_value_that_it_found(api, big_spenders, properties, entry):
    explanation = explained(api, **properties)

    assert explanation == {
        "event_id": str(Event.objects.get().pk),
        "participant_id": "ada",
        "event_name": "purchase",
        "occurred_at": "2026-02-14T08:15:00Z",
        "recorded_at": "2026-02-14T08:15:00Z",
        "is_pruned": False,
        "reversed_at": None,
        "reversal_reason": None,
        "undone": [],
        "facts": [
            {
                "name": "purchase",
                "is_change": False,
                "depth": 0,
                "heard": [{"type": "streak", "code": "big", "version": 1, **entry}],
            }
        ],
        "granted": [],
        "refused": [],
        "cut": [],
    }


def test_a_long_value_is_shortened(api, big_spenders):
    [condition] = explained(api, amount="9" * 5_000)["facts"][0]["heard"][0]["conditions"]

    assert condition["actual"] == '"' + "9" * 199 + "…"


def test_an_event_without_listeners_has_an_empty_explanation(api):
    explanation = explained(api)

    assert (explanation["facts"], explanation["granted"], explanation["is_pruned"]) == ([], [], False)


def test_a_trace_that_was_pruned_says_so(api, tenant):
    event = EventFactory(participant=ParticipantFactory(tenant=tenant), trace=PRUNED)

    explanation = api.get(f"/events/{event.pk}/explain").json()

    assert (explanation["is_pruned"], explanation["facts"]) == (True, [])


def test_anonymising_clears_the_trace(api, admin_api, big_spenders):
    explained(api, amount="a@b.example")

    admin_api.delete("/admin/participants/ada?anonymize=true")

    assert Event.objects.get().trace == PRUNED


def test_events_of_other_tenants_and_invalid_ids_are_not_found(api, other_api, other_tenant):
    event = EventFactory(participant=ParticipantFactory(tenant=other_tenant))

    for event_id in (event.pk, "01a20030-2f11-7c0e-9b6a-0d8c7a5e4f31", "x"):
        assert refusal(api.get(f"/events/{event_id}/explain")) == (
            404,
            "event_not_found",
            f"Event not found: {event_id}",
        )
    assert other_api.get(f"/events/{event.pk}/explain").status_code == 200
