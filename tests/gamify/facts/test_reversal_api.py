"""The reversal of events through the API."""

from datetime import UTC, datetime

import pytest
import time_machine

from gamify.facts.models import Event
from participants.models import Participant
from tests.client import refusal, refused_fields
from tests.factories import BadgeFactory, EventFactory, ParticipantFactory, RuleFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
UNKNOWN = "01a20030-2f11-7c0e-9b6a-0d8c7a5e4f31"
BADGE = {"type": "badge", "code": "buyer", "name": "Buyer"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def bought(tenant, api):
    """The id of an event for which a badge was given."""
    BadgeFactory(tenant=tenant, code="buyer", name="Buyer")
    RuleFactory(tenant=tenant, grants=[{"type": "badge", "code": "buyer"}])
    return api.post("/events", {"participant_id": "ada", "event_name": "purchase"}).json()["event_id"]


def path(event_id, query=""):
    return f"/admin/events/{event_id}/reverse{query}"


def test_a_reversed_event_shows_it_everywhere(api, admin_api, bought):
    response = admin_api.post(path(bought), {"reason": "fraud"})

    assert response.status_code == 200
    assert response.json() == {
        "event_id": bought,
        "participant_id": "ada",
        "event_name": "purchase",
        "reason": "fraud",
        "reversed_at": "2026-02-14T10:00:00Z",
        "undone": [BADGE],
    }
    [entry] = api.get("/participants/ada/events").json()["events"]
    explained = api.get(f"/events/{bought}/explain").json()
    assert entry["reversed_at"] == explained["reversed_at"] == "2026-02-14T10:00:00Z"
    assert (explained["reversal_reason"], explained["undone"]) == ("fraud", [BADGE])
    assert api.get("/participants/ada/badges").json()["earned_count"] == 0
    assert Participant.objects.get().total_events == 0


def test_a_dry_run_answers_the_same_and_changes_nothing(admin_api, bought, nothing_written):
    with nothing_written():
        preview = admin_api.post(path(bought, "?dry_run=true"), {"reason": "fraud"})

    assert preview.status_code == 200
    assert preview.json() == admin_api.post(path(bought, "?dry_run=false"), {"reason": "fraud"}).json()


def test_an_event_that_is_not_reversed_shows_null(api, bought):
    explained = api.get(f"/events/{bought}/explain").json()

    assert (explained["reversed_at"], explained["reversal_reason"], explained["undone"]) == (None, None, [])


def test_the_second_time_it_is_refused(admin_api, bought, nothing_written):
    admin_api.post(path(bought))

    with nothing_written():
        for query in ("", "?dry_run=true"):
            again = admin_api.post(path(bought, query))
            assert refusal(again) == (400, "already_reversed", "Event is reversed already")


@pytest.mark.parametrize("event_id", [UNKNOWN, "nonsense", "%00", "0" * 500])
def test_an_unknown_event_is_404(admin_api, event_id, nothing_written):
    with nothing_written():
        status, code, _ = refusal(admin_api.post(path(event_id)))

    assert (status, code) == (404, "event_not_found")


def test_another_tenants_event_is_404(admin_api, other_tenant, nothing_written):
    event = EventFactory(participant=ParticipantFactory(tenant=other_tenant))

    with nothing_written():
        assert admin_api.post(path(event.pk)).status_code == 404
    assert Event.objects.get().reversed_at is None


@pytest.mark.parametrize(
    ("body", "query", "field"),
    [
        ({"reason": "x" * 501}, "", "reason"),
        ({"reason": ["a"]}, "", "reason"),
        ({"reason": "a\nb"}, "", "reason"),
        ({}, "?dry_run=perhaps", "dry_run"),
        ({}, "?dry_run=1", "dry_run"),
    ],
)
def test_an_invalid_request_is_refused_and_reverses_nothing(admin_api, bought, body, query, field, nothing_written):
    with nothing_written():
        response = admin_api.post(path(bought, query), body)

    assert response.status_code == 422
    assert list(refused_fields(response)) == [field]


def test_it_takes_the_admin_scope(api, bought, nothing_written):
    with nothing_written():
        assert refusal(api.post(path(bought)))[:2] == (403, "forbidden")


def test_it_costs_the_same_however_much_else_happened(api, admin_api, bought, queries):
    ids = [
        api.post("/events", {"participant_id": user, "event_name": "purchase"}).json()["event_id"]
        for user in ("bo", "cy", "cy", "cy", "cy")
    ]
    admin_api.post(path(UNKNOWN))  # the use of the key is noted

    for event_id in ids[:2]:
        with queries(14):
            assert admin_api.post(path(event_id)).status_code == 200
