from datetime import UTC, datetime

import pytest

from tests.client import refused_fields
from tests.factories import EventFactory, ParticipantFactory

HISTORY = "/participants/user_42/events"


@pytest.fixture
def participant(tenant):
    return ParticipantFactory(tenant=tenant, external_id="user_42")


def names(response):
    return [event["event_name"] for event in response.json()["events"]]


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_specs_history(participant, api):
    event = EventFactory(
        participant=participant,
        name="purchase_completed",
        properties={"amount": 49.99, "currency": "USD"},
        occurred_at=at("2026-02-14T10:00:00"),
    )
    EventFactory(participant=participant, name="login")

    response = api.get(f"{HISTORY}?event_name=purchase_completed&page=1&page_size=20")

    assert response.status_code == 200
    assert response.json() == {
        "participant_id": "user_42",
        "events": [
            {
                "id": str(event.pk),
                "event_name": "purchase_completed",
                "properties": {"amount": 49.99, "currency": "USD"},
                "occurred_at": "2026-02-14T10:00:00Z",
                "reversed_at": None,
            }
        ],
        "total": 1,
        "page": 1,
        "page_size": 20,
    }


def test_the_newest_comes_first_by_time_and_then_by_id(api):
    for name, timestamp in [("b", "2026-02-02"), ("a", "2026-02-01"), ("d", "2026-02-03"), ("c", "2026-02-02")]:
        body = {"participant_id": "user_42", "event_name": name, "timestamp": f"{timestamp}T10:00:00Z"}
        assert api.post("/events", body).status_code == 200

    assert names(api.get(HISTORY)) == ["d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["late", "noon", "early", "before"]),
        ("from_date=2026-02-14", ["late", "noon", "early"]),
        ("to_date=2026-02-14", ["noon", "early", "before"]),
        ("from_date=2026-02-14&to_date=2026-02-14", ["noon", "early"]),
        ("from_date=2026-02-15&to_date=2026-02-13", []),
        ("from_date=0001-01-01&to_date=9999-12-31", ["late", "noon", "early", "before"]),
        ("event_name=noon", ["noon"]),
        ("event_name=noon&from_date=2026-02-15", []),
        ("event_name=Noon", []),
        ("event_name=noo", []),
    ],
)
def test_days_are_utc_and_both_included_and_names_are_exact(participant, api, query, found):
    for name, moment in [
        ("before", "2026-02-13T23:59:59.999999"),
        ("early", "2026-02-14T00:00:00"),
        ("noon", "2026-02-14T23:59:59.999999"),
        ("late", "2026-02-15T00:00:00"),
    ]:
        EventFactory(participant=participant, name=name, occurred_at=at(moment))

    response = api.get(f"{HISTORY}?{query}")

    assert names(response) == found
    assert response.json()["total"] == len(found)


@pytest.mark.parametrize("field", ["from_date", "to_date"])
@pytest.mark.parametrize(
    "day",
    [
        "yesterday",
        "20260214",
        "2026-W07-6",
        "2026-02-30",
        "2026-13-01",
        "14.02.2026",
        "2026-02-14T10:00:00Z",
        "0",
        "%00",
    ],
)
def test_a_bad_date_is_422(participant, api, field, day):
    assert refused_fields(api.get(f"{HISTORY}?{field}={day}")) == [field]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=x", "page"),
        ("page=99999999999999999999", "page"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("event_name=%00", "event_name"),
    ],
)
def test_values_out_of_range_are_422(participant, api, query, field):
    assert refused_fields(api.get(f"{HISTORY}?{query}")) == [field]


def test_pages_follow_each_other_and_one_past_the_end_is_empty(participant, api):
    for day in range(1, 6):
        EventFactory(participant=participant, name=f"day_{day}", occurred_at=at(f"2026-02-0{day}T00:00:00"))

    pages = [api.get(f"{HISTORY}?page={page}&page_size=2") for page in (1, 2, 3, 4, 1_000_000_000)]

    assert [names(page) for page in pages] == [["day_5", "day_4"], ["day_3", "day_2"], ["day_1"], [], []]
    assert {page.json()["total"] for page in pages} == {5}


@pytest.mark.parametrize("query", ["", "?event_name=login&from_date=2026-01-01&page=7"])
def test_an_unknown_participant_has_no_events_and_is_not_created(api, nothing_written, query):
    with nothing_written():
        response = api.get(HISTORY + query)

    assert response.status_code == 200
    assert (response.json()["events"], response.json()["total"]) == ([], 0)


def test_events_of_others_are_not_listed(tenant, other_tenant, participant, api, other_api, sandbox_api):
    EventFactory(participant=participant, name="mine")
    for stranger in (
        ParticipantFactory(tenant=tenant, external_id="user_43"),
        ParticipantFactory(tenant=other_tenant, external_id="user_42"),
    ):
        EventFactory(participant=stranger, name="theirs")

    assert [names(client.get(HISTORY)) for client in (api, other_api, sandbox_api)] == [["mine"], ["theirs"], []]


@pytest.mark.parametrize(
    ("query", "statements"), [("", 4), ("?event_name=login&from_date=2026-01-01", 4), ("?page=99", 3)]
)
def test_a_page_takes_the_same_statements_however_many_there_are(participant, api, queries, query, statements):
    for _ in range(30):
        EventFactory(participant=participant, name="login")
    api.get(HISTORY)

    with queries(statements):  # the key, the participant, the total, the page
        api.get(HISTORY + query)


def test_a_missing_key_is_401_and_a_disabled_tenant_403(tenant, api):
    assert api.get(HISTORY, headers={"X-API-Key": ""}).status_code == 401
    tenant.is_active = False
    tenant.save()

    assert api.get(HISTORY).status_code == 403
