"""A key that the process has cached is verified by the first exchange of each request, before anything is written or answered."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Reverse
from django.utils import timezone

from gamify_project.urls import gamify, phoenix
from participants.api import key_cache
from participants.api.views import KeyViewSet
from participants.models import ApiKey, IdempotencyKey, Participant, Tenant
from tests.client import Api, refusal
from tests.factories import BadgeFactory, made_key
from tests.threads import in_own_connection, wait_until_a_lock_is_awaited
from tests.wire import counted_round_trips

pytestmark = [pytest.mark.two_connections, pytest.mark.django_db(transaction=True)]

AWARD = {"participant_id": "user_1", "amount": 5, "idempotency_key": "k"}
READ: Callable[[Api], Any] = lambda api: api.get("/participants/user_1/points")  # noqa: E731
READ_STATE: Callable[[Api], Any] = lambda api: api.get("/participants/user_1/state")  # noqa: E731
WRITE: Callable[[Api], Any] = lambda api: api.post("/points/award", AWARD)  # noqa: E731
INVALID: Callable[[Api], Any] = lambda api: api.post("/points/award", b"{")  # noqa: E731
BATCH: Callable[[Api], Any] = lambda api: api.post("/points/award-batch", {"awards": [AWARD]})  # noqa: E731
LIST: Callable[[Api], Any] = lambda api: api.get("/admin/participants")  # noqa: E731
NOWHERE: Callable[[Api], Any] = lambda api: api.get("/participants/%01/points")  # noqa: E731
REQUESTS = [READ, READ_STATE, WRITE, INVALID, BATCH, LIST, NOWHERE]


@pytest.fixture
def cached(tenant: Tenant) -> Api:
    """A client whose admin key is cached by this process."""
    return cached_key(tenant)


def cached_key(tenant: Tenant) -> Api:
    api = Api(made_key(tenant, "admin").key)
    READ(api)  # notes the use of the key
    number = len(key_cache._keys)
    READ(api)
    assert len(key_cache._keys) == number + 1
    return api


def elsewhere(change: Callable[[], object]) -> None:
    """Run `change` as another process would: with a connection of its own."""

    def run() -> None:
        try:
            change()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda: ApiKey.objects.update(revoked_at=timezone.now()), 401),
        (lambda: ApiKey.objects.update(created_at=timezone.now() - timedelta(days=2), expires_at=timezone.now()), 401),
        (lambda: ApiKey.objects.all().delete(), 401),
        (lambda: ApiKey.objects.update(digest=Reverse("digest")), 401),
        (lambda: Tenant.objects.update(is_active=False), 403),
    ],
    ids=["revoked", "expired", "deleted", "replaced", "tenant disabled"],
)
def test_the_next_request_is_refused_and_writes_nothing(tenant, change, status):
    callers = [(request_of, cached_key(tenant)) for request_of in REQUESTS]
    elsewhere(change)

    answers = [request_of(api).status_code for request_of, api in callers]

    assert answers == [status] * len(REQUESTS)
    assert not Participant.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_scopes_are_those_of_the_moment(cached):
    elsewhere(lambda: ApiKey.objects.update(scopes=[]))
    without = LIST(cached)
    elsewhere(lambda: ApiKey.objects.update(scopes=["admin"]))

    assert refusal(without)[:2] == (403, "forbidden")
    assert LIST(cached).status_code == 200


def test_the_next_write_uses_a_definition_of_the_moment_and_its_body(tenant, cached):
    WRITE(cached)
    BadgeFactory(tenant=tenant, code="saver", criteria={"metric": "total_earned", "min": 6})
    elsewhere(lambda: Tenant.objects.update(catalog_version=F("catalog_version") + 1))

    second = cached.post("/points/award", AWARD | {"idempotency_key": "k2"})

    assert second.json()["new_balance"] == 10
    assert [badge["code"] for badge in second.json()["badges_unlocked"]] == ["saver"]


def test_a_definition_that_changes_while_a_write_waits_for_its_participant_counts(tenant, cached):
    WRITE(cached)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Participant.objects.select_for_update().get()
            waiting = pool.submit(
                in_own_connection, lambda: cached.post("/points/award", AWARD | {"idempotency_key": "k2"})
            )
            wait_until_a_lock_is_awaited()
            BadgeFactory(tenant=tenant, code="saver", criteria={"metric": "total_earned", "min": 6})
            Tenant.objects.filter(pk=tenant.pk).update(catalog_version=F("catalog_version") + 1)
        answer = waiting.result()

    assert [badge["code"] for badge in answer.json()["badges_unlocked"]] == ["saver"]


def test_a_request_that_begins_again_is_counted_once(cached, memory_limits):
    before = int(READ(cached)["X-RateLimit-Remaining"])
    elsewhere(lambda: Tenant.objects.update(name="Renamed"))
    for request_of in (READ, WRITE):
        elsewhere(lambda: Tenant.objects.update(catalog_version=F("catalog_version") + 1))
        answer = request_of(cached)

    assert int(READ(cached)["X-RateLimit-Remaining"]) == before - 3
    assert int(answer["X-RateLimit-Remaining"]) == int(answer["X-RateLimit-Limit"]) - 1


def test_items_of_a_batch_that_begins_again_are_counted_once(tenant, cached, memory_limits):
    elsewhere(lambda: Tenant.objects.update(participant_writes_per_minute=3))
    awards = [AWARD | {"idempotency_key": f"k{number}"} for number in range(3)]

    answer = cached.post("/points/award-batch", {"awards": awards})

    assert answer.json()["processed"] == 3


@pytest.mark.parametrize("request_of", [READ, WRITE, INVALID, LIST], ids=["read", "write", "invalid", "list"])
def test_a_request_whose_connection_was_lost_is_answered_over_a_new_one(cached, request_of):
    lost = connection.connection.info.backend_pid
    elsewhere(lambda: connection.cursor().execute("SELECT pg_terminate_backend(%s)", [lost]))

    assert request_of(cached).status_code < 500


def test_an_error_of_the_database_does_not_hide_that_the_key_was_revoked(cached, monkeypatch):
    READ(cached)
    elsewhere(lambda: ApiKey.objects.update(revoked_at=timezone.now()))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE participants_participant RENAME TO away")
    try:
        assert READ(cached).status_code == 401
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO participants_participant")


def test_a_key_is_verified_without_a_round_trip_of_its_own(cached):
    for _ in range(4):
        READ(cached)

    with counted_round_trips() as wire:
        READ(cached)

    assert wire.round_trips == 1


def test_every_request_of_the_api_is_answered_by_a_view_that_verifies_cached_keys():
    views = {pattern.callback for group in (gamify, phoenix) for pattern in routes(group)}

    assert {view for view in views if not issubclass(getattr(view, "cls", KeyViewSet), KeyViewSet)} == set()


def routes(group):
    for each in group:
        if hasattr(each, "url_patterns"):
            yield from routes(each.url_patterns)
        else:
            yield each
