from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from participants.models import ApiKey
from participants.services.callers import revoke
from participants.services.tenants import set_tenant_status
from tests.client import Api, refusal
from tests.factories import made_key, raw_key

BALANCE = "/participants/user_123/points"
ADMIN_LIST = "/admin/participants"


@pytest.mark.parametrize(
    "header", [lambda key: {"X-API-Key": key}, lambda key: {"Authorization": f"Bearer {key}"}], ids=["key", "bearer"]
)
@pytest.mark.parametrize("path", [BALANCE, ADMIN_LIST])
def test_a_key_works_for_every_endpoint_in_either_header(tenant, header, path):
    key = raw_key(tenant, "admin")

    response = Api(None).get(path, headers=header(key))

    assert response.status_code == 200


def test_the_bearer_scheme_is_known_whatever_its_case(tenant):
    assert Api(None).get(BALANCE, headers={"Authorization": f"bearer  {raw_key(tenant)} "}).status_code == 200


def test_x_api_key_takes_precedence_over_a_bearer_token(tenant):
    response = Api(raw_key(tenant)).get(BALANCE, headers={"Authorization": "Bearer unknown"})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "bq_live_unknown"},
        {"X-API-Key": "clé-ünknown"},
        {"X-API-Key": "x" * 5000},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer  "},
        {"Authorization": "Bearer bq_live_unknown"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", BALANCE), ("GET", ADMIN_LIST), ("POST", "/points/award"), ("DELETE", ADMIN_LIST + "/user_123")],
)
def test_without_a_known_key_everything_is_401(tenant, nothing_written, headers, method, path):
    with nothing_written():
        response = Api(None).send(method, path, headers=headers)

    assert refusal(response)[:2] == (401, "unauthorized")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_key_is_401_from_the_moment_of_its_expiry(tenant):
    expires_at = datetime(2030, 1, 1, tzinfo=UTC)
    api = Api(raw_key(tenant, expires_at=expires_at))

    with time_machine.travel(expires_at - timedelta(seconds=1), tick=False):
        before = api.get(BALANCE)
    with time_machine.travel(expires_at, tick=False):
        after = api.get(BALANCE)

    assert before.status_code == 200
    assert refusal(after)[:2] == (401, "unauthorized")


def test_a_revoked_key_is_401(tenant):
    created = made_key(tenant)
    revoke(created.row, now=timezone.now())

    assert refusal(Api(created.key).get(BALANCE))[:2] == (401, "unauthorized")


def test_neither_a_keys_prefix_nor_its_digest_opens_anything(tenant):
    created = made_key(tenant)

    for text in (created.row.prefix, created.row.digest, created.key[:-1], created.key.swapcase()):
        assert Api(text).get(BALANCE).status_code == 401


@pytest.mark.parametrize("is_sandbox", [False, True])
def test_the_keys_of_a_disabled_tenant_and_of_its_twin_are_403_until_it_is_enabled(tenant, nothing_written, is_sandbox):
    api = Api(raw_key(tenant.sandbox if is_sandbox else tenant, "admin"))
    set_tenant_status(slug="acme", is_active=False, now=timezone.now())

    with nothing_written():
        read, write = api.get(BALANCE), api.post("/points/award", {"participant_id": "user_123", "amount": 1})

    assert refusal(read) == refusal(write) == (403, "forbidden", "Tenant is disabled")
    set_tenant_status(slug="acme", is_active=True, now=timezone.now())
    assert api.get(BALANCE).status_code == 200


def test_a_revoked_key_of_a_disabled_tenant_is_401(tenant):
    created = made_key(tenant)
    revoke(created.row, now=timezone.now())
    set_tenant_status(slug="acme", is_active=False, now=timezone.now())

    assert Api(created.key).get(BALANCE).status_code == 401


@pytest.mark.parametrize("scopes", [(), ("platform",)])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ADMIN_LIST),
        ("DELETE", ADMIN_LIST + "/user_123"),
        ("DELETE", ADMIN_LIST + "/user_123?anonymize=true"),
    ],
)
def test_admin_endpoints_are_403_without_an_admin_scope(tenant, nothing_written, scopes, method, path):
    api = Api(raw_key(tenant, *scopes))
    api.post("/participants", {"participant_id": "user_123"})

    with nothing_written():
        response = api.send(method, path)

    assert refusal(response) == (403, "forbidden", "API key requires 'admin' scope")


@pytest.mark.parametrize("scopes", [("admin",), ("gamify:admin",), ("platform", "gamify:admin")])
def test_either_admin_scope_opens_admin_endpoints_and_the_others_too(tenant, scopes):
    api = Api(raw_key(tenant, *scopes))

    assert api.get(ADMIN_LIST).status_code == api.get(BALANCE).status_code == 200


def test_live_and_sandbox_keys_see_their_own_data_only(tenant, api, sandbox_api):
    api.post("/points/award", {"participant_id": "user_123", "amount": 100})
    sandbox_api.post("/points/award", {"participant_id": "user_123", "amount": 7})

    assert api.key.startswith("bq_live_")
    assert sandbox_api.key.startswith("bq_test_")
    assert api.get(BALANCE).json()["balance"] == 100
    assert sandbox_api.get(BALANCE).json()["balance"] == 7


def test_an_idempotency_key_used_in_the_sandbox_is_unused_in_live(api, sandbox_api):
    body = {"participant_id": "user_123", "amount": 100, "idempotency_key": "k"}

    first, second = sandbox_api.post("/points/award", body), api.post("/points/award", body)

    assert "Idempotency-Replayed" not in second
    assert first.json()["transaction_id"] != second.json()["transaction_id"]


def test_the_use_of_a_key_is_recorded_at_most_once_a_minute(tenant):
    created = made_key(tenant)
    start = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    noted = []

    for seconds in (0, 59, 60):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            Api(created.key).get(BALANCE)
        noted.append(ApiKey.objects.get(pk=created.row.pk).last_used_at)

    assert noted == [start, start, start + timedelta(seconds=60)]


def test_a_refused_request_still_shows_that_its_key_is_in_use(tenant):
    created = made_key(tenant)

    Api(created.key).post("/points/award", {})

    assert ApiKey.objects.get(pk=created.row.pk).last_used_at is not None


def test_failed_authentications_are_throttled_per_address_and_a_valid_key_never_is(tenant, settings, memory_limits):
    settings.AUTH_FAILURES_PER_MINUTE = 2
    stranger, address = Api("bq_live_unknown"), f"address-{uuid4()}"
    stranger.address = address

    with time_machine.travel(timezone.now(), tick=False):
        statuses = [stranger.get(BALANCE).status_code for _ in range(3)]
        refused = stranger.get(BALANCE)
        valid = Api(raw_key(tenant), address=address).get(BALANCE)
        elsewhere = Api("bq_live_unknown").get(BALANCE)

    assert statuses == [401, 401, 429]
    assert refusal(refused)[:2] == (429, "RATE_LIMIT_AUTH_EXCEEDED")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert valid.status_code == 200
    assert elsewhere.status_code == 401


@pytest.mark.parametrize(("proxies", "throttled"), [(0, True), (1, False)])
def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(tenant, settings, memory_limits, proxies, throttled):
    settings.AUTH_FAILURES_PER_MINUTE, settings.TRUSTED_PROXIES = 1, proxies
    stranger = Api("bq_live_unknown")

    with time_machine.travel(timezone.now(), tick=False):
        stranger.get(BALANCE, headers={"X-Forwarded-For": f"1.1.1.1, {uuid4()}"})
        second = stranger.get(BALANCE, headers={"X-Forwarded-For": f"1.1.1.1, {uuid4()}"})

    assert second.status_code == (429 if throttled else 401)


def test_one_query_finds_key_and_tenant_also_for_an_unknown_key(api, queries):
    with queries(1):
        Api("bq_live_unknown").get(BALANCE)
