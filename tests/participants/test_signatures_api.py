"""Partners sign queries instead of sending a key (docs/contract.md §1)."""

import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings as django_settings
from django.utils import timezone

from participants.models import HmacSecret, Tenant
from participants.services.callers import revoke
from participants.services.tenants import set_tenant_status
from tests.client import Api, phoenix_refusal
from tests.factories import made_secret, raw_key

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
UNIX_NOW = int(NOW.timestamp())
PATH = "/v1/streaks/acme/users/user_123"
ECHO = "/v1/streaks/acme/echo"
ADMIN = "/v1/tenants/acme/streaks"
HEADERS = ("X-Tenant-Id", "X-Timestamp", "X-Signature")
NO_MATCH = "X-Signature matches no active secret of the tenant in X-Tenant-Id"

pytestmark = pytest.mark.urls("tests.participants.phoenix_views")


@pytest.fixture(autouse=True)
def frozen():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@dataclass
class Partner:
    """A client that signs its requests, or something else if a test needs it."""

    secret: str
    tenant: str = "acme"

    def headers(self, method: str, path: str, timestamp: str, body: bytes) -> dict[str, str]:
        text = b"\n".join([method.encode(), path.encode(), timestamp.encode(), body])
        signature = hmac.new(self.secret.encode(), text, "sha256").hexdigest()
        return dict(zip(HEADERS, (self.tenant, timestamp, f"hmac-sha256={signature}"), strict=True))

    def get(self, path: str = PATH, **given: Any) -> Any:
        return self.send("GET", path, **given)

    def send(self, method: str, path: str, body: bytes = b"", *, signs: Any = None, **given: Any) -> Any:
        """`signs` replaces parts of the signed text. `headers` replaces headers; None omits one."""
        signed = {"method": method, "path": path.partition("?")[0], "timestamp": str(UNIX_NOW), "body": body}
        headers = self.headers(**signed | (signs or {})) | given.pop("headers", {})
        api = Api(None, base="", address=given.pop("address", f"address-{uuid4()}"))
        api.tells_raw_path = given.pop("tells_raw_path", True)
        kept = {name: value for name, value in headers.items() if value is not None}
        return api.send(method, path, body or None, headers=kept, **given)


@pytest.fixture
def partner(tenant: Tenant) -> Partner:
    return Partner(made_secret(tenant).text)


def unauthorized(response: Any) -> str:
    status, code, message = phoenix_refusal(response)
    assert (status, code) == (401, "UNAUTHORIZED")
    return message


def test_a_signed_query_is_answered_about_the_tenant_of_the_secret(partner, tenant):
    answer = partner.get()

    assert answer.json() == {
        "tenant": str(tenant.pk), "environment": "live", "user": "user_123", "is_platform": False
    }  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_header_that_is_missing_is_401_and_named(partner, name, value):
    message = unauthorized(partner.get(headers={name: value}))

    assert message == f"{name} missing: a signed request needs the headers X-Tenant-Id, X-Timestamp, X-Signature"


def test_without_any_of_the_headers_a_key_is_asked_for(partner):
    message = unauthorized(partner.get(headers=dict.fromkeys(HEADERS)))

    assert message == "API key missing: send it as X-API-Key or as Authorization: Bearer"


@pytest.mark.parametrize("seconds", [-300, -1, 1, 300])
def test_a_timestamp_up_to_300_seconds_off_is_accepted(partner, seconds):
    assert partner.get(signs={"timestamp": str(UNIX_NOW + seconds)}).status_code == 200


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 10**12])
def test_a_stale_timestamp_or_one_from_the_future_is_401(partner, seconds):
    message = unauthorized(partner.get(signs={"timestamp": str(UNIX_NOW + seconds)}))

    assert message == "X-Timestamp is more than 300 seconds off: check your clock and sign again"


def test_a_request_sent_again_later_than_300_seconds_is_401(partner, frozen):
    assert partner.get().status_code == 200

    frozen.shift(timedelta(seconds=301))

    assert "X-Timestamp" in unauthorized(partner.get())


@pytest.mark.parametrize(
    "timestamp", ["now", "1e9", f"{UNIX_NOW}.0", f"-{UNIX_NOW}", "9" * 5000, "2026-02-14T10:00:00Z", "0x6990", "²"]
)
def test_a_timestamp_that_is_no_number_of_seconds_is_401(partner, timestamp):
    assert unauthorized(partner.get(headers={"X-Timestamp": timestamp})).startswith("X-Timestamp must be Unix seconds")


def test_a_timestamp_is_signed_as_it_is_written(partner):
    assert partner.get(signs={"timestamp": f"00{UNIX_NOW}"}).status_code == 200
    assert NO_MATCH in unauthorized(partner.get(headers={"X-Timestamp": f"00{UNIX_NOW}"}))


@pytest.mark.parametrize(
    "written",
    [
        lambda hexadecimal: f"hmac-sha256={hexadecimal}",
        lambda hexadecimal: hexadecimal,
        lambda hexadecimal: hexadecimal.upper(),
        lambda hexadecimal: f"hmac-sha256={hexadecimal.upper()}",
        lambda hexadecimal: f" {hexadecimal} ",
    ],
)
def test_a_signature_is_hex_of_either_case_with_or_without_its_prefix(partner, written):
    signature = partner.headers("GET", PATH, str(UNIX_NOW), b"")["X-Signature"].removeprefix("hmac-sha256=")

    assert partner.get(headers={"X-Signature": written(signature)}).status_code == 200


@pytest.mark.parametrize(
    "signature", ["x", "hmac-sha256=", "sha256=" + "0" * 64, "0" * 63, "0" * 65, "g" * 64, "é" * 64, "0" * 5000]
)
def test_a_signature_that_is_not_64_hex_digits_is_401(partner, signature):
    message = unauthorized(partner.get(headers={"X-Signature": signature}))

    assert message == "X-Signature must be hmac-sha256= and 64 hexadecimal digits"


@pytest.mark.parametrize(
    "signs",
    [
        {"method": "POST"},
        {"method": "get"},
        {"path": "/v1/streaks/acme/users/user_124"},
        {"path": f"https://gamify.example{PATH}"},
        {"path": f"{PATH}?"},
        {"body": b"{}"},
    ],
    ids=repr,
)
def test_a_signature_of_something_else_is_401(partner, signs):
    assert NO_MATCH in unauthorized(partner.get(signs=signs))


def test_the_timestamp_in_the_header_is_the_one_that_is_signed(partner):
    assert NO_MATCH in unauthorized(partner.get(headers={"X-Timestamp": str(UNIX_NOW + 1)}))


def test_the_query_is_not_signed(partner):
    assert partner.get(f"{PATH}?a=1&b=%2F").status_code == 200


@pytest.mark.parametrize("user", ["a%2Fb", "a%2fb", "auth0%7C1", "%75ser", "user@x.y", "%E2%82%AC"])
def test_the_path_is_signed_as_it_is_sent_percent_encoding_and_all(partner, user):
    path = f"/v1/streaks/acme/users/{user}"

    assert partner.get(path).status_code == 200
    assert partner.get(path, RAW_URI=f"https://gamify.example{path}?x=1").status_code == 200


@pytest.mark.parametrize(("sent", "signed"), [("a%2Fb", "a/b"), ("a%2Fb", "a%2fb"), ("%75ser", "user")])
def test_another_spelling_of_the_same_path_is_401(partner, sent, signed):
    path, spelled = (f"/v1/streaks/acme/users/{user}" for user in (sent, signed))

    assert NO_MATCH in unauthorized(partner.get(path, signs={"path": spelled}))


@pytest.mark.parametrize(
    "user", ["user_123", "%E2%82%AC", "auth0%7C1", "user@x.y", "a%20b", "a%25b", "a!$&'()*+,;=:@~b"]
)
def test_without_a_raw_path_the_decoded_path_is_encoded_again(partner, user):
    assert partner.get(f"/v1/streaks/acme/users/{user}", tells_raw_path=False).status_code == 200


@pytest.mark.parametrize("body", [b'{"a": 1}', b'{ "a" :1 }\n'])
def test_a_body_is_signed_byte_by_byte_and_can_still_be_read(partner, body):
    assert partner.send("POST", ECHO, body).json() == {"a": 1}
    assert NO_MATCH in unauthorized(partner.send("POST", ECHO, body, signs={"body": body + b" "}))


def test_a_signed_body_may_be_sent_in_chunks(partner):
    body = b'{"a": 1}'
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "", "wsgi.input_terminated": True}

    response = partner.send("POST", ECHO, body, **chunked, **{"wsgi.input": BytesIO(body)})

    assert response.json() == {"a": 1}


def test_a_signed_body_that_is_not_json_is_400_and_one_too_large_413(partner):
    assert phoenix_refusal(partner.send("POST", ECHO, b"{"))[:2] == (400, "INVALID_INPUT")
    assert phoenix_refusal(partner.send("POST", ECHO, b"x" * (2**20 + 1)))[:2] == (413, "PAYLOAD_TOO_LARGE")


# --- which secret, which tenant --------------------------------------------------------------------------------------


def test_during_a_rotation_both_secrets_work(tenant):
    old, new = (made_secret(tenant) for _ in range(2))

    before = [Partner(created.text).get().status_code for created in (old, new)]
    revoke(old.row, now=NOW)
    after = [Partner(created.text).get().status_code for created in (old, new)]

    assert (before, after) == ([200, 200], [401, 200])


@pytest.mark.parametrize("named_by", ["slug", "live id", "twin id", "live ID"])
@pytest.mark.parametrize("is_sandbox", [False, True])
def test_the_secret_that_matches_decides_between_live_and_sandbox(tenant, named_by, is_sandbox):
    rows = {False: tenant, True: tenant.sandbox}
    secrets = {twin: made_secret(row).text for twin, row in rows.items()}
    name = {
        "slug": "acme", "live id": str(tenant.pk), "twin id": str(tenant.sandbox.pk), "live ID": str(tenant.pk).upper()
    }[named_by]  # fmt: skip

    answer = Partner(secrets[is_sandbox], tenant=name).get()

    assert answer.json()["tenant"] == str(rows[is_sandbox].pk)


@pytest.mark.parametrize(
    ("is_sandbox", "path_names", "status"),
    [
        (False, "live", 200),
        (False, "twin", 403),
        (True, "live", 200),
        (True, "twin", 200),
    ],
)
def test_a_path_may_name_the_tenant_by_its_uuid(tenant, is_sandbox, path_names, status):
    row = tenant.sandbox if is_sandbox else tenant
    named = {"live": tenant, "twin": tenant.sandbox}[path_names]

    answer = Partner(made_secret(row).text).get(f"/v1/streaks/{named.pk}/users/user_123")

    assert answer.status_code == status
    assert status == 403 or answer.json()["tenant"] == str(row.pk)


def test_a_signature_with_the_secret_of_another_tenant_is_401(tenant, other_tenant):
    made_secret(tenant)

    assert NO_MATCH in unauthorized(Partner(made_secret(other_tenant).text, tenant="acme").get())


@pytest.mark.parametrize("path_tenant", ["globex", "nobody"])
def test_a_right_signature_on_the_path_of_another_tenant_existing_or_not_is_403(partner, other_tenant, path_tenant):
    response = partner.get(f"/v1/streaks/{path_tenant}/users/user_123")

    assert phoenix_refusal(response) == (403, "FORBIDDEN", "Partner secret lacks access to the specified tenant")


@pytest.mark.parametrize(
    "name", ["nobody", "ACME", "acme x", "01a20030-16b8-773b-a1f2-79a6f16a65ee", "x" * 5000, "ac\0me", "é", "users"]
)
def test_an_unknown_tenant_reads_like_a_wrong_secret(partner, name):
    partner.tenant = name

    assert NO_MATCH in unauthorized(partner.get())


def test_the_secrets_of_a_disabled_tenant_are_403_and_wrong_ones_stay_401(tenant, partner):
    set_tenant_status(slug="acme", is_active=False, now=NOW)

    assert phoenix_refusal(partner.get()) == (403, "FORBIDDEN", "Tenant is disabled")
    assert NO_MATCH in unauthorized(Partner("phx_wrong").get())


def test_the_admin_gateway_does_not_look_at_signatures(partner):
    message = unauthorized(partner.get(ADMIN))

    assert message.startswith("API key missing")


@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
def test_a_key_takes_precedence_over_a_signature(partner, other_tenant, header):
    key = raw_key(other_tenant)
    sent = {header: key if header == "X-API-Key" else f"Bearer {key}"}

    assert partner.get(headers=sent).status_code == 403
    assert partner.get("/v1/streaks/globex/users/u", headers=sent | {"X-Signature": "x"}).status_code == 200
    assert "unknown, expired" in unauthorized(partner.get(headers={"X-API-Key": "bq_live_unknown"}))


def test_another_kind_of_authorization_is_ignored(partner):
    assert partner.get(headers={"Authorization": "Basic dXNlcjpwYXNz"}).status_code == 200


def test_a_secret_encrypted_with_a_lost_passphrase_matches_nothing_and_is_logged(tenant, settings, caplog):
    settings.ENCRYPTION_KEYS = ["lost"]
    lost = made_secret(tenant)
    settings.ENCRYPTION_KEYS = ["kept"]
    kept = made_secret(tenant)

    assert NO_MATCH in unauthorized(Partner(lost.text).get())
    assert Partner(kept.text).get().status_code == 200
    assert "secret_unreadable" in caplog.text
    assert str(lost.row.pk) in caplog.text
    assert lost.text not in caplog.text


# --- counting --------------------------------------------------------------------------------------------------------


def test_failed_signatures_are_throttled_per_address_and_a_right_one_never_is(partner, settings, memory_limits):
    settings.AUTH_FAILURES_PER_MINUTE = 2
    address = f"address-{uuid4()}"

    answers = [partner.get(signs={"method": "POST"}, address=address) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert phoenix_refusal(answers[2])[1] == "RATE_LIMITED"
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert partner.get(address=address).status_code == 200
    assert partner.get(signs={"method": "POST"}).status_code == 401


def test_each_secret_has_the_cap_of_a_key(tenant, partner, memory_limits):
    Tenant.objects.filter(pk=tenant.pk).update(key_requests_per_minute=2)
    another = Partner(made_secret(tenant).text)

    answers = [partner.get() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert phoenix_refusal(answers[2])[2] == "Partner secret exceeded 2 requests per minute"
    assert another.get().status_code == 200


def test_the_use_of_a_secret_is_recorded_at_most_once_a_minute(tenant, frozen):
    created = made_secret(tenant)
    noted = []

    for seconds in (0, 59, 1):
        frozen.shift(timedelta(seconds=seconds))
        Partner(created.text).get(signs={"timestamp": str(int(timezone.now().timestamp()))})
        noted.append(HmacSecret.objects.get(pk=created.row.pk).last_used_at)

    assert noted == [NOW, NOW, NOW + timedelta(seconds=60)]


@pytest.mark.parametrize("secrets", [1, 10])
def test_one_query_finds_all_secrets_with_their_tenants(tenant, partner, queries, secrets):
    for row in (tenant, tenant.sandbox) * secrets:
        made_secret(row)
    partner.get()  # records the use

    with queries(1):
        assert partner.get().status_code == 200


# --- what the guide shows --------------------------------------------------------------------------------------------


@pytest.fixture
def example() -> str:
    """The Python example of the guide."""
    guide = (Path(django_settings.BASE_DIR) / "docs" / "api.md").read_text()
    blocks = [block for block in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "X-Signature" in block]
    assert len(blocks) == blocks[0].count("https://gamify.example") == blocks[0].count("phx_…") == 1
    return blocks[0]


def test_the_guides_example_is_answered(transactional_db, live_server, tenant, example, capsys):
    secret = made_secret(tenant).text

    exec(example.replace("https://gamify.example", live_server.url).replace("phx_…", secret), {})

    seen = json.loads(capsys.readouterr().out)
    assert (seen["tenant"], seen["user"]) == (str(tenant.pk), "user_123")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", PATH, b""),
        ("HEAD", PATH, b""),
        ("GET", "/v1/streaks/acme/users/org%2F7", b""),
        ("POST", ECHO, '{"a": "ü"}'.encode()),
    ],
)
def test_the_guides_signing_function_signs_what_the_server_accepts(tenant, example, method, path, body):
    names: dict[str, Any] = {}
    exec(example.partition("\npath = ")[0].replace("phx_…", made_secret(tenant).text), names)

    response = Api(None, base="").send(method, path, body or None, headers=names["signed"](method, path, body))

    assert response.status_code == 200
