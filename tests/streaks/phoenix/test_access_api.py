"""Access to the two gateways: scopes, tenants and environments."""

import hmac

import pytest
from django.utils import timezone

from participants.models import Tenant
from participants.services.tenants import set_tenant_status
from tests.client import Api, phoenix_refusal
from tests.factories import made_secret, raw_key
from tests.streaks.phoenix.conftest import NOW
from tests.streaks.phoenix.happening import CONFIG, define, happen

ID = "01a20030-16b8-773b-a1f2-79a6f16a65ee"
ADMIN = [
    ("GET", "/streaks"),
    ("GET", "/tenants/acme/streaks"),
    ("POST", "/tenants/acme/streaks"),
    ("GET", f"/tenants/acme/streaks/{ID}"),
    ("PATCH", f"/tenants/acme/streaks/{ID}"),
    ("DELETE", f"/tenants/acme/streaks/{ID}"),
    ("PUT", f"/tenants/acme/streaks/{ID}/status"),
]
QUERY = [
    ("GET", "/streaks/acme/definitions"),
    ("GET", "/streaks/acme/users/ada"),
    ("GET", f"/streaks/acme/users/ada/{ID}"),
    ("GET", f"/streaks/acme/users/ada/definitions/{ID}"),
]
each_admin = pytest.mark.parametrize(("method", "path"), ADMIN)
each_query = pytest.mark.parametrize(("method", "path"), QUERY)
each_of_a_tenant = pytest.mark.parametrize(("method", "path"), [*ADMIN[1:], *QUERY])


def of(tenant: Tenant, *scopes: str) -> Api:
    return Api(raw_key(tenant, *scopes), base="/v1")


def signed(tenant: Tenant, method: str, path: str) -> dict[str, str]:
    stamp = str(int(timezone.now().timestamp()))
    text = f"{method}\n/v1{path}\n{stamp}\n".encode()
    signature = hmac.new(made_secret(tenant).text.encode(), text, "sha256").hexdigest()
    return {"X-Tenant-Id": tenant.slug, "X-Timestamp": stamp, "X-Signature": f"hmac-sha256={signature}"}


def bearer(tenant: Tenant, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {raw_key(tenant, *scopes)}"}


@pytest.mark.parametrize(("method", "path"), [*ADMIN, *QUERY])
@pytest.mark.parametrize("key", [None, "bq_live_unknown"])
def test_without_a_valid_key_everything_is_401(tenant, method, path, key):
    answer = Api(key, base="/v1").send(method, path)

    assert phoenix_refusal(answer)[:2] == (401, "UNAUTHORIZED")


@each_admin
def test_the_admin_gateway_needs_the_scope(query, method, path):
    assert phoenix_refusal(query.send(method, path)) == (403, "FORBIDDEN", "API key requires 'admin' scope")


@each_admin
def test_a_signature_does_not_open_the_admin_gateway(tenant, method, path):
    answer = Api(None, base="/v1").send(method, path, headers=signed(tenant, method, path))

    assert phoenix_refusal(answer)[:2] == (401, "UNAUTHORIZED")


@each_of_a_tenant
def test_another_tenants_paths_are_403(tenant, other_tenant, method, path):
    answer = of(other_tenant, "admin").send(method, path)

    assert phoenix_refusal(answer) == (403, "FORBIDDEN", "API key lacks access to the specified tenant")


@each_query
def test_a_key_a_bearer_token_and_a_signature_open_the_query_gateway(admin, tenant, happens, method, path):
    streak = define(admin)
    happens("user.login")
    path = path.replace(ID, streak["id"])
    anonymous = Api(None, base="/v1")

    answers = [
        of(tenant).get(path),
        anonymous.get(path, headers=bearer(tenant)),
        anonymous.get(path, headers=signed(tenant, "GET", path)),
    ]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()


def test_a_bearer_token_opens_the_admin_gateway(tenant):
    answer = Api(None, base="/v1").post(
        "/tenants/acme/streaks", {"name": "Daily", "config": CONFIG}, headers=bearer(tenant, "gamify:admin")
    )

    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/streaks"), ("PUT", "/tenants/acme/streaks"), ("POST", f"/tenants/acme/streaks/{ID}/status"),
     ("PATCH", "/streaks/acme/users/ada"), ("DELETE", f"/streaks/acme/users/ada/{ID}")],
)  # fmt: skip
def test_other_methods_are_405(admin, method, path):
    assert phoenix_refusal(admin.send(method, path))[:2] == (405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("path", ["/streaks/acme", "/streaks/acme/users", "/tenants/acme", "/tenants", "/streaks/"])
def test_other_paths_are_404(admin, path):
    assert phoenix_refusal(admin.get(path)) == (404, "NOT_FOUND", "No such endpoint")


def test_past_its_cap_a_key_is_429_on_both_gateways(tenant, memory_limits):
    Tenant.objects.update(key_requests_per_minute=1)
    for path in ("/streaks", "/streaks/acme/definitions"):
        api = of(tenant, "admin")
        api.get(path)

        refused = api.get(path)

        assert phoenix_refusal(refused) == (429, "RATE_LIMITED", "API key exceeded 1 requests per minute")
        assert int(refused["Retry-After"]) >= 1


# --- the sandbox ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named_by", ["slug", "id", "twin's id"])
def test_a_test_key_sees_the_sandbox_under_the_tenants_name(admin, query, tenant, named_by):
    name = {"slug": "acme", "id": str(tenant.pk), "twin's id": str(tenant.sandbox.pk)}[named_by]
    twin_admin, twin_query = of(tenant.sandbox, "admin"), of(tenant.sandbox)
    live = define(admin, "Live")

    sandboxed = define(twin_admin, "Live", tenant=name)  # names are unique per tenant
    happen(tenant.sandbox, "ada", "user.login")

    assert sandboxed["tenant_id"] == "acme"
    assert twin_query.get(f"/streaks/{name}/definitions").json() == {"definitions": [sandboxed]}
    assert query.get("/streaks/acme/definitions").json() == {"definitions": [live]}
    assert twin_query.get(f"/streaks/{name}/users/ada").json()["streaks"][0]["definition_id"] == sandboxed["id"]
    assert query.get("/streaks/acme/users/ada").json() == {"streaks": []}
    assert twin_admin.get(f"/tenants/{name}/streaks/{live['id']}").status_code == 404
    assert twin_query.get(f"/streaks/{name}/users/ada/{live['id']}").status_code == 404


# --- all tenants ------------------------------------------------------------------------------------------------------


def test_an_admin_key_lists_its_own_tenants_streaks(admin, tenant, other_tenant):
    mine = [define(admin, "Mine"), admin.delete(f"/tenants/acme/streaks/{define(admin, 'Gone')['id']}").json()]
    define(of(other_tenant, "admin"), "Theirs", tenant="globex")

    assert admin.get("/streaks").json() == {"definitions": mine}
    assert of(tenant.sandbox, "admin").get("/streaks").json() == {"definitions": []}


def test_a_platform_key_lists_streaks_of_all_tenants_in_its_environment(admin, tenant, other_tenant, queries):
    platform = of(tenant, "platform")
    theirs = [define(of(other_tenant, "admin"), name, tenant="globex") for name in ("Z", "Y")]
    mine = [define(admin, name) for name in ("X", "A")]
    twins = define(of(other_tenant.sandbox, "admin"), "Z", tenant="globex")
    platform.get("/streaks")

    with queries(2):  # the key's, and the rows
        answer = platform.get("/streaks").json()

    assert answer == {"definitions": [*mine, *theirs]}
    assert of(tenant.sandbox, "platform").get("/streaks").json() == {"definitions": [twins]}


def test_the_list_of_all_tenants_leaves_out_disabled_tenants(admin, tenant, other_tenant):
    define(of(other_tenant, "admin"), tenant="globex")
    set_tenant_status(slug="globex", is_active=False, now=NOW)

    assert of(tenant, "platform").get("/streaks").json() == {"definitions": []}


def test_the_list_of_all_shows_each_tenants_zone(tenant, other_tenant):
    Tenant.objects.filter(pk=other_tenant.pk).update(timezone="Asia/Tokyo")
    other_tenant.refresh_from_db()
    define(of(other_tenant, "admin"), tenant="globex", window={"period": "daily"})

    (streak,) = of(tenant, "platform").get("/streaks").json()["definitions"]

    assert streak["config"]["window"]["timezone"] == "Asia/Tokyo"


def test_a_platform_key_manages_and_reads_streaks_of_other_tenants(tenant, other_tenant):
    platform = of(tenant, "platform")

    streak = define(platform, tenant="globex")
    happen(other_tenant, "ada", "user.login")
    changed = platform.patch(f"/tenants/globex/streaks/{streak['id']}", {"description": "x"})
    progress = platform.get(f"/streaks/{other_tenant.pk}/users/ada/{streak['id']}").json()

    assert changed.json()["tenant_id"] == progress["tenant_id"] == "globex"
    assert of(other_tenant).get("/streaks/globex/definitions").json() == {"definitions": [changed.json()]}


@each_of_a_tenant
def test_an_unknown_tenant_is_404_for_a_platform_key(tenant, method, path):
    answer = of(tenant, "platform").send(method, path.replace("acme", "nobody"))

    assert phoenix_refusal(answer) == (404, "NOT_FOUND", "Tenant not found: nobody")
