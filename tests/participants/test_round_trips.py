import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gamify.points.services import Change, award, award_batch
from participants.counters import RedisCounters
from participants.services.keys import create_api_key
from participants.services.tenants import create_tenant
from tests.client import Api
from tests.factories import BadgeFactory
from tests.wire import counted_round_trips

pytestmark = [pytest.mark.two_connections, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=timezone.now())


@pytest.mark.parametrize("pooler", ["", "transaction"])
def test_an_award_over_http_takes_two_round_trips_key_look_up_begin_and_commit_included(
    tenant, client, settings, pooler
):
    settings.DATABASE_POOLER = pooler
    key = create_api_key(tenant=tenant, now=timezone.now()).key
    body = {"participant_id": "user_1", "amount": 5, "reason": "r", "idempotency_key": "k0"}
    headers = {"X-API-Key": key}
    for _ in range(2):  # notes the use of the key, and caches it
        client.post("/api/v1/gamify/points/award", body, content_type="application/json", headers=headers)

    with counted_round_trips() as wire:
        answer = client.post(
            "/api/v1/gamify/points/award",
            body | {"idempotency_key": "k1"},
            content_type="application/json",
            headers=headers,
        )

    assert answer.status_code == 200
    assert wire.round_trips == 2


def test_an_event_over_http_takes_two_round_trips_too(tenant, client):
    headers = {"X-API-Key": create_api_key(tenant=tenant, now=timezone.now()).key}
    body = {"participant_id": "user_1", "event_name": "login", "properties": {"plan": "pro"}}
    for _ in range(2):
        client.post("/api/v1/gamify/events", body, content_type="application/json", headers=headers)

    with counted_round_trips() as wire:
        answer = client.post(
            "/api/v1/gamify/events",
            body | {"idempotency_key": "k1"},
            content_type="application/json",
            headers=headers,
        )

    assert answer.status_code == 200
    assert wire.round_trips == 2


def test_a_badge_over_http_takes_two_round_trips_and_so_does_its_repeat(tenant, client):
    BadgeFactory(tenant=tenant, code="first_steps")
    headers = {"X-API-Key": create_api_key(tenant=tenant, now=timezone.now()).key}
    body = {"participant_id": "user_1", "badge_code": "first_steps", "metadata": {"trigger": "signup"}}
    other = body | {"participant_id": "somebody"}
    for _ in range(6):  # loads the catalog; psycopg prepares the query of the key at its fifth repeat
        client.post("/api/v1/gamify/badges/award", other, content_type="application/json", headers=headers)

    for already_earned in (False, True):
        with counted_round_trips() as wire:
            answer = client.post("/api/v1/gamify/badges/award", body, content_type="application/json", headers=headers)

        assert answer.json()["already_earned"] is already_earned
        assert wire.round_trips <= 2


def test_the_first_award_of_a_new_participant_takes_no_round_trip_more(tenant):
    award(
        tenant=tenant, change=Change("somebody", 5), now=timezone.now()
    )  # so that the process has read the definitions

    with counted_round_trips() as wire:
        award(tenant=tenant, change=Change("new", 5, idempotency_key="k"), now=timezone.now())

    assert wire.round_trips == 2


def test_a_read_of_the_balance_takes_one_round_trip(tenant, client):
    key = create_api_key(tenant=tenant, now=timezone.now()).key
    path, headers = "/api/v1/gamify/participants/user_1/points", {"X-API-Key": key}
    for _ in range(2):  # notes the use of the key, and caches it
        client.get(path, headers=headers)

    with counted_round_trips() as wire:
        client.get(path, headers=headers)

    assert wire.round_trips == 1


def test_a_batch_of_100_costs_at_most_4_queries_more_than_a_batch_of_1(tenant):
    def queries(size, prefix):
        changes = [Change(f"{prefix}_{n}", 5, idempotency_key=f"{prefix}_{n}") for n in range(size)]
        with CaptureQueriesContext(connection) as captured:
            award_batch(tenant=tenant, changes=changes, refused={}, key=None, now=timezone.now())
        return len(captured)

    queries(1, "first")  # so that the process has read the definitions

    assert queries(100, "many") - queries(1, "one") <= 4


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"participant_id": "user_1", "amount": 5}, 200),
        ({"participant_id": "user_1"}, 422),
        ({"participant_id": "user_1", "amount": 5, "expires_at": "2001-01-01T00:00:00Z"}, 422),
    ],
    ids=["award", "invalid body", "refused award"],
)
def test_a_write_takes_one_round_trip_to_redis_for_both_limits(tenant, monkeypatch, body, status):
    api, asked = Api(create_api_key(tenant=tenant, now=timezone.now()).key), []
    evaluate = RedisCounters._evaluate
    monkeypatch.setattr(RedisCounters, "_evaluate", lambda *given: asked.append(given) or evaluate(*given))

    answer = api.post("/points/award", body)

    assert (answer.status_code, len(asked)) == (status, 1)
    assert "X-RateLimit-Remaining" in answer
