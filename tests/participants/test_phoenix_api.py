"""The base of both Phoenix gateways: the tenant of a path, and the required permissions."""

import pytest
from django.utils import timezone
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from participants.models import Tenant
from participants.services.tenants import set_tenant_status
from tests.client import Api, phoenix_refusal
from tests.factories import raw_key

LIVE, TWIN, OTHER, OTHER_TWIN = "live", "twin", "other", "other twin"
FORBIDDEN = (403, "FORBIDDEN", "API key lacks access to the specified tenant")
NOT_FOUND = (404, "NOT_FOUND")
GATEWAYS = {"query": "/streaks/{}/users/user_123", "admin": "/tenants/{}/streaks"}

pytestmark = pytest.mark.urls("tests.participants.phoenix_views")
each_gateway = pytest.mark.parametrize("gateway", GATEWAYS)


@pytest.fixture
def rows(tenant, other_tenant) -> dict[str, Tenant]:
    return {LIVE: tenant, TWIN: tenant.sandbox, OTHER: other_tenant, OTHER_TWIN: other_tenant.sandbox}


def phoenix(tenant: Tenant, *scopes: str) -> Api:
    return Api(raw_key(tenant, *scopes), base="/v1")


def named(rows: dict[str, Tenant], name: str) -> str:
    """Resolve `other:id` to the id of that row and `other:slug` to its slug; return any other text unchanged."""
    row, _, field = name.partition(":")
    return str(getattr(rows[row], field)) if field else name


@each_gateway
@pytest.mark.parametrize(
    ("key_of", "name", "expected"),
    [
        (LIVE, "live:slug", LIVE),
        (LIVE, "live:id", LIVE),
        (LIVE, "twin:id", FORBIDDEN),
        (TWIN, "live:slug", TWIN),
        (TWIN, "live:id", TWIN),
        (TWIN, "twin:id", TWIN),
        (LIVE, "other:slug", FORBIDDEN),
        (LIVE, "other:id", FORBIDDEN),
        (LIVE, "other twin:id", FORBIDDEN),
        (TWIN, "other:slug", FORBIDDEN),
        (TWIN, "other twin:id", FORBIDDEN),
        (LIVE, "nobody", FORBIDDEN),
        (LIVE, "01a20030-16b8-773b-a1f2-79a6f16a65ee", FORBIDDEN),
        (LIVE, "ACME", FORBIDDEN),
        (LIVE, "acme%00", FORBIDDEN),
        (LIVE, "%ED%A0%80", FORBIDDEN),
        (LIVE, "x" * 3000, FORBIDDEN),
    ],
)
def test_a_path_means_the_row_of_the_keys_tenant_and_no_other(rows, queries, gateway, key_of, name, expected):
    api = phoenix(rows[key_of], "admin")
    api.get("/nowhere/yet")
    path = GATEWAYS[gateway].format(named(rows, name))
    api.get(path)  # records the use of the key

    with queries(1):  # the key's
        response = api.get(path)

    if expected is FORBIDDEN:
        assert phoenix_refusal(response) == FORBIDDEN
    else:
        assert response.json()["tenant"] == str(rows[expected].pk)
        assert response.json()["is_platform"] is False


@each_gateway
@pytest.mark.parametrize(
    ("key_of", "name", "expected", "asked"),
    [
        (LIVE, "live:slug", LIVE, 1),
        (LIVE, "live:id", LIVE, 1),
        (LIVE, "other:slug", OTHER, 2),
        (LIVE, "other:id", OTHER, 2),
        (LIVE, "twin:id", NOT_FOUND, 2),
        (LIVE, "other twin:id", NOT_FOUND, 2),
        (TWIN, "live:slug", TWIN, 1),
        (TWIN, "live:id", TWIN, 1),
        (TWIN, "twin:id", TWIN, 1),
        (TWIN, "other:slug", OTHER_TWIN, 2),
        (TWIN, "other:id", OTHER_TWIN, 2),
        (TWIN, "other twin:id", OTHER_TWIN, 2),
        (LIVE, "nobody", NOT_FOUND, 2),
        (LIVE, "01a20030-16b8-773b-a1f2-79a6f16a65ee", NOT_FOUND, 2),
        (TWIN, "01a20030-16b8-773b-a1f2-79a6f16a65ee", NOT_FOUND, 2),
    ],
)
def test_a_platform_key_uses_the_paths_of_every_tenant(rows, queries, gateway, key_of, name, expected, asked):
    api = phoenix(rows[key_of], "platform")
    path = GATEWAYS[gateway].format(named(rows, name))
    api.get(path)

    with queries(asked):
        response = api.get(path)

    if expected is NOT_FOUND:
        assert phoenix_refusal(response) == (*NOT_FOUND, f"Tenant not found: {named(rows, name)}")
    else:
        assert response.json()["tenant"] == str(rows[expected].pk)
        assert response.json()["is_platform"] is True


@each_gateway
@pytest.mark.parametrize("name", ["ACME", "acme%00", "%00", "%ED%A0%80", "%FF", "a b", "x" * 3000, "users"])
def test_an_invalid_tenant_name_is_404_for_a_platform_key(tenant, gateway, name):
    response = phoenix(tenant, "platform").get(GATEWAYS[gateway].format(name))

    assert phoenix_refusal(response)[:2] == NOT_FOUND


@each_gateway
@pytest.mark.parametrize("name", ["acme", "globex", "nobody"])
@pytest.mark.parametrize("twin", [False, True])
def test_the_keys_of_a_disabled_tenant_are_403_whatever_the_path(tenant, other_tenant, gateway, name, twin):
    api = phoenix(tenant.sandbox if twin else tenant, "admin", "platform")
    set_tenant_status(slug="acme", is_active=False, now=timezone.now())

    response = api.get(GATEWAYS[gateway].format(name))

    assert phoenix_refusal(response) == (403, "FORBIDDEN", "Tenant is disabled")


@each_gateway
@pytest.mark.parametrize("twin", [False, True])
def test_a_disabled_tenant_is_403_to_platform_keys_too(tenant, other_tenant, gateway, twin):
    api = phoenix(tenant.sandbox if twin else tenant, "platform")
    set_tenant_status(slug="globex", is_active=False, now=timezone.now())

    response = api.get(GATEWAYS[gateway].format("globex"))

    assert phoenix_refusal(response) == (403, "FORBIDDEN", "Tenant is disabled")


@pytest.mark.parametrize(
    ("scopes", "admin_status"), [((), 403), (("admin",), 200), (("gamify:admin",), 200), (("platform",), 200)]
)
def test_any_key_opens_the_query_gateway_and_some_scopes_the_admin_gateway(tenant, scopes, admin_status):
    api = phoenix(tenant, *scopes)

    query, admin = (api.get(path.format("acme")) for path in GATEWAYS.values())

    assert (query.status_code, admin.status_code) == (200, admin_status)
    if admin_status == 403:
        assert phoenix_refusal(admin) == (403, "FORBIDDEN", "API key requires 'admin' scope")


def test_a_path_without_a_tenant_means_the_callers(tenant):
    assert phoenix(tenant.sandbox, "admin").get("/mine/streaks").json()["tenant"] == str(tenant.sandbox.pk)


@pytest.mark.parametrize(("sent", "user"), [("a%2Fb", "a/b"), ("auth0%7C1", "auth0|1"), ("%E2%82%AC%25", "€%")])
def test_a_user_id_is_a_participants_id(tenant, sent, user):
    assert phoenix(tenant).get(f"/streaks/acme/users/{sent}").json()["user"] == user


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ("x" * 256, "user_id: must be 1 to 255 characters long"),
        ("a%00", "user_id: must not contain control characters"),
    ],
)
def test_a_user_id_that_can_be_none_is_400(tenant, sent, problem):
    response = phoenix(tenant).get(f"/streaks/acme/users/{sent}")

    assert phoenix_refusal(response) == (400, "INVALID_INPUT", problem)


def test_answers_report_the_key_limit_and_are_429_above_it(tenant, memory_limits):
    Tenant.objects.filter(pk=tenant.pk).update(key_requests_per_minute=2)
    api = phoenix(tenant)

    answers = [api.get("/streaks/acme/users/user_123") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert phoenix_refusal(answers[2]) == (429, "RATE_LIMITED", "API key exceeded 2 requests per minute")
    assert 1 <= int(answers[2]["Retry-After"]) <= 60


@each_gateway
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_405(tenant, gateway, method):
    response = phoenix(tenant, "admin").send(method, GATEWAYS[gateway].format("acme"))

    assert phoenix_refusal(response)[:2] == (405, "METHOD_NOT_ALLOWED")


@each_gateway
@pytest.mark.parametrize("key", [None, "", "bq_live_unknown"])
def test_without_a_known_key_both_gateways_are_401(tenant, gateway, key):
    response = Api(key, base="/v1").get(GATEWAYS[gateway].format("acme"))

    assert phoenix_refusal(response)[:2] == (401, "UNAUTHORIZED")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_both_gateways_are_documented_without_a_warning_each_with_what_opens_it():
    GENERATOR_STATS.reset()

    document = SchemaGenerator(urlconf="tests.participants.phoenix_views").get_schema(public=True)

    assert not GENERATOR_STATS
    validate_schema(document)
    query = document["paths"]["/v1/streaks/{tenant_id}/users/{user_id}"]["get"]
    admin = document["paths"]["/v1/tenants/{tenant_id}/streaks"]["get"]
    signed = {"PartnerTenant": [], "PartnerTimestamp": [], "PartnerSignature": []}
    assert query["security"] == [signed, {"ApiKey": []}, {"BearerKey": []}]
    assert admin["security"] == [{"ApiKey": ["admin"]}, {"BearerKey": ["admin"]}]
    schemes = document["components"]["securitySchemes"]
    assert [schemes[name]["name"] for name in signed] == ["X-Tenant-Id", "X-Timestamp", "X-Signature"]
    assert [parameter["$ref"] for parameter in query["parameters"]] == [
        "#/components/parameters/tenant_id",
        "#/components/parameters/user_id",
    ]


def test_the_documented_errors_of_a_query_are_those_that_it_answers(rows):
    document = SchemaGenerator(urlconf="tests.participants.phoenix_views").get_schema(public=True)
    responses = document["paths"]["/v1/streaks/{tenant_id}/users/{user_id}"]["get"]["responses"]
    answered = [
        phoenix(rows[LIVE]).get("/streaks/globex/users/user_123"),
        phoenix(rows[OTHER], "platform").get("/streaks/nobody/users/user_123"),
        phoenix(rows[LIVE]).get(f"/streaks/acme/users/{'x' * 256}"),
        Api(None, base="/v1").get("/streaks/acme/users/user_123", headers=signed_by_nobody()),
    ]

    assert [response.status_code for response in answered] == [403, 404, 400, 401]
    for response in answered:
        shared = document["components"]["responses"][responses[str(response.status_code)]["$ref"].rpartition("/")[2]]
        examples = shared["content"]["application/json"]["examples"].values()
        assert response.json() in [example["value"] for example in examples]


def signed_by_nobody() -> dict[str, str]:
    now = int(timezone.now().timestamp())
    return {"X-Tenant-Id": "acme", "X-Timestamp": str(now), "X-Signature": "0" * 64}
