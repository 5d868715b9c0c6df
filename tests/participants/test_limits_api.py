import inspect
import os
import time
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
import time_machine

from gamify_project.routing import api_routes
from participants import limits
from participants.breakers import redis_breaker
from participants.models import Tenant
from tests.client import Api, refusal
from tests.factories import ParticipantFactory, raw_key

NOW = datetime(2026, 2, 14, 10, 0, 15, tzinfo=UTC)
UNIX_NOW = int(NOW.timestamp())
AWARD, BATCH = "/points/award", "/points/award-batch"
BODY = {"participant_id": "user_123", "amount": 1}
CAP = 3

pytestmark = pytest.mark.usefixtures("memory_limits")


@pytest.fixture
def frozen():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def capped(tenant, frozen) -> Tenant:
    """A tenant with a limit of three writes per participant and minute."""
    Tenant.objects.update(participant_writes_per_minute=CAP)
    tenant.refresh_from_db()
    return tenant


def rate_limit(response):
    return [int(response[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")]


def test_the_write_past_the_cap_is_429_with_retry_after_and_writes_nothing(capped, api, nothing_written):
    allowed = [api.post(AWARD, BODY) for _ in range(CAP)]

    with nothing_written():
        response = api.post(AWARD, BODY)

    assert [answer.status_code for answer in allowed] == [200] * CAP
    assert refusal(response)[:2] == (429, "RATE_LIMIT_PARTICIPANT_EXCEEDED")
    assert 1 <= int(response["Retry-After"]) <= 60
    assert rate_limit(response) == [CAP, 0, UNIX_NOW + int(response["Retry-After"])]


def test_retry_after_is_at_most_60_seconds(frozen):
    a_hair_past_the_minute = limits.RateLimitStatus(limit=CAP, remaining=0, reset_at=UNIX_NOW + 60.00001)
    frozen.shift(timedelta(milliseconds=300))

    refused = limits.ParticipantLimitExceeded(a_hair_past_the_minute)

    assert refused.headers["Retry-After"] == "60"


def test_single_writes_report_the_rate_limit_of_the_participant(capped, api):
    answers = [api.post(AWARD, BODY) for _ in range(CAP)]

    assert [rate_limit(answer)[:2] for answer in answers] == [[3, 2], [3, 1], [3, 0]]
    assert all(UNIX_NOW < rate_limit(answer)[2] <= UNIX_NOW + 60 for answer in answers)


def test_after_retry_after_the_write_is_served(capped, api, frozen):
    for _ in range(CAP):
        api.post(AWARD, BODY)
    wait = int(api.post(AWARD, BODY)["Retry-After"])

    frozen.shift(timedelta(seconds=wait + 0.001))

    assert api.post(AWARD, BODY).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", AWARD, BODY),
        ("POST", "/points/deduct", BODY),
        ("POST", "/participants", {"participant_id": "user_123", "display_name": "new"}),
        ("PATCH", "/participants/user_123", {"display_name": "new"}),
    ],
)
def test_every_write_of_a_participant_counts_together(capped, api, nothing_written, method, path, body):
    for _ in range(CAP):
        api.post(AWARD, BODY)

    with nothing_written():
        response = api.send(method, path, body)

    assert refusal(response)[:2] == (429, "RATE_LIMIT_PARTICIPANT_EXCEEDED")


def test_reads_and_the_admins_erasure_are_not_writes_of_the_participant(capped, api, admin_api):
    for _ in range(CAP + 1):
        api.post(AWARD, BODY)

    assert api.get("/participants/user_123/points").json()["balance"] == CAP
    assert admin_api.delete("/admin/participants/user_123").status_code == 200


def test_participants_tenants_and_sandboxes_are_counted_separately(capped, api, other_api, sandbox_api):
    for _ in range(CAP + 1):
        api.post(AWARD, BODY)

    for client, body in (
        (api, BODY | {"participant_id": "user_124"}),
        (api, BODY | {"participant_id": "USER_123"}),
        (other_api, BODY),
        (sandbox_api, BODY),
    ):
        assert client.post(AWARD, body).status_code == 200


def test_all_keys_of_a_tenant_share_a_participants_cap(capped, api, admin_api):
    for _ in range(CAP):
        api.post(AWARD, BODY)

    assert admin_api.post(AWARD, BODY).status_code == 429


def test_a_body_that_does_not_validate_does_not_use_up_the_cap(capped, api):
    for _ in range(CAP + 1):
        api.post(AWARD, BODY | {"amount": 0})

    assert api.post(AWARD, BODY).status_code == 200


def test_in_a_batch_the_cap_refuses_items_and_the_others_are_written(capped, api):
    items = [BODY | {"amount": amount} for amount in (1, 2, 4, 8, 16)]
    items.insert(4, {"participant_id": "user_124", "amount": 5})

    response = api.post(BATCH, {"awards": items})

    body = response.json()
    assert response.status_code == 200
    assert (body["processed"], body["failed"]) == (4, 2)
    assert [result["new_balance"] for result in body["results"]] == [1, 3, 7, None, 5, None]
    assert {result["code"] for result in body["results"]} == {None, "RATE_LIMIT_PARTICIPANT_EXCEEDED"}
    assert body["results"][3]["error"]
    assert api.get("/participants/user_123/points").json()["balance"] == 7


def test_a_batch_of_refused_items_only_is_still_200_and_writes_nothing(capped, api, nothing_written):
    api.post(BATCH, {"awards": [BODY] * CAP})

    with nothing_written():
        response = api.post(BATCH, {"awards": [BODY, BODY]}, headers={"Idempotency-Key": "k"})

    assert response.status_code == 200
    assert (response.json()["processed"], response.json()["failed"]) == (0, 2)


def test_a_batch_reports_the_rate_limit_of_the_key(capped, api):
    assert rate_limit(api.post(BATCH, {"awards": [BODY] * 2}))[0] == capped.key_requests_per_minute


def test_with_a_participant_cap_of_0_the_rate_limit_of_the_key_is_reported(tenant, api, frozen):
    Tenant.objects.update(participant_writes_per_minute=0)

    answers = [api.post(AWARD, BODY) for _ in range(310)]

    assert {answer.status_code for answer in answers} == {200}
    assert rate_limit(answers[-1])[:2] == [60_000, 60_000 - 310]


def test_the_limits_are_300_and_60000_unless_the_tenant_has_others(tenant, api, frozen):
    assert (tenant.participant_writes_per_minute, tenant.key_requests_per_minute) == (300, 60_000)
    assert rate_limit(api.post(AWARD, BODY))[:2] == [300, 299]
    assert rate_limit(api.get("/participants/user_123"))[:2] == [60_000, 59_998]


def test_the_request_past_the_keys_cap_is_429_for_reads_and_writes(tenant, api, frozen, nothing_written):
    Tenant.objects.update(key_requests_per_minute=2)
    answers = [api.get("/participants/user_123/points") for _ in range(2)]

    with nothing_written():
        read, write = api.get("/participants/user_123/points"), api.post(AWARD, BODY)

    assert [rate_limit(answer)[:2] for answer in answers] == [[2, 1], [2, 0]]
    assert refusal(read)[:2] == refusal(write)[:2] == (429, "RATE_LIMIT_KEY_EXCEEDED")
    assert rate_limit(read) == [2, 0, UNIX_NOW + int(read["Retry-After"])]


def test_keys_are_counted_separately(tenant, api, frozen):
    Tenant.objects.update(key_requests_per_minute=1)

    statuses = [client.get("/participants/user_123/points").status_code for client in (api, api, Api(raw_key(tenant)))]

    assert statuses == [200, 429, 200]


def test_a_key_cap_of_0_is_off(tenant, api):
    Tenant.objects.update(key_requests_per_minute=0)

    response = api.get("/participants/user_123/points")

    assert response.status_code == 200
    assert "X-RateLimit-Limit" not in response


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", AWARD, 422),
        ("GET", AWARD, 405),
        ("GET", "/participants/unknown", 404),
        ("GET", "/participants/%00", 422),
        ("GET", "/admin/participants", 403),
    ],
)
def test_refusals_of_a_known_key_report_its_rate_limit(api, frozen, method, path, status):
    response = api.send(method, path)

    assert (response.status_code, rate_limit(response)[:2]) == (status, [60_000, 59_999])


def test_a_replay_is_a_write_like_any_other(capped, api):
    body = BODY | {"idempotency_key": "k"}

    assert [api.post(AWARD, body).status_code for _ in range(CAP + 1)] == [200] * CAP + [429]


def test_without_an_answer_of_redis_requests_are_served_and_the_failure_is_counted(tenant, broken_redis, caplog):
    Tenant.objects.update(participant_writes_per_minute=1, key_requests_per_minute=1)
    api = Api(raw_key(tenant))
    failures = redis_breaker.failures.total()
    started = time.monotonic()

    answers = [api.post(AWARD, BODY) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert not any("X-RateLimit-Limit" in answer for answer in answers)
    assert redis_breaker.failures.total() == failures + 1  # the circuit breaker then stops asking
    assert "redis_unavailable" in caplog.text
    assert time.monotonic() - started < 5


def test_without_an_answer_of_redis_an_unknown_key_is_401(db, broken_redis):
    assert refusal(Api("bq_live_unknown").get("/participants/user_123"))[:2] == (401, "unauthorized")


@pytest.mark.two_connections
def test_processes_share_the_count_in_redis(tenant, settings, monkeypatch):
    settings.REDIS_URL = os.environ["REDIS_URL"]
    Tenant.objects.update(participant_writes_per_minute=CAP)
    api, statuses = Api(raw_key(tenant)), []
    if time.time() % 60 > 55:
        time.sleep(6)  # otherwise the minute could end between two writes, and the window would slide

    for _ in range(CAP + 1):
        monkeypatch.setattr(limits, "_counters", cache(limits._counters.__wrapped__))  # like another process
        statuses.append(api.post(AWARD, BODY).status_code)

    assert statuses == [200] * CAP + [429]


def test_ids_that_look_like_names_of_counters_are_counted_separately(capped, api):
    ParticipantFactory(tenant=capped, external_id="a")
    for _ in range(CAP):
        api.post(AWARD, BODY | {"participant_id": "a/3/1/minute"})

    for participant_id in ("a", "a/3/1", "{a}", "a/3/1/minute/3/1/minute"):
        assert api.post(AWARD, BODY | {"participant_id": participant_id}).status_code == 200


def test_every_action_that_counts_a_write_counts_it_together_with_its_request():
    actions = [
        getattr(pattern.callback.cls, name)
        for _, pattern in api_routes("gamify_project.urls")
        for name in pattern.callback.actions.values()
    ]

    writing = {action for action in actions if "self.take_write(" in inspect.getsource(action)}

    assert len(writing) >= 10
    assert writing == {action for action in actions if getattr(action, "writes_participant", False)}
