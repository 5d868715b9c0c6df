import logging

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView
from structlog.stdlib import ProcessorFormatter

from gamify_project import urls
from gamify_project.dialects import Problem, render
from participants.api.views import KeyViewSet
from participants.errors import DomainError, FieldError
from participants.models import Participant
from tests.client import Api, phoenix_refusal, refusal

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]


def phoenix(key: str | None) -> Api:
    return Api(key, base="/v1")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("route", ["", "/", "/nope", "/points", "/points/award/", "/points/award/x", "/a/b/c", "/%FF"])
def test_an_unknown_route_of_gamify_is_404_in_its_shape(api, method, route):
    response = api.send(method, route, {"a": 1})

    assert refusal(response)[:2] == (404, "not_found")
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("route", ["", "/", "/nope", "/tenants", "/users/x/y", "/%FF"])
def test_an_unknown_route_of_phoenix_is_404_in_its_shape(api, method, route):
    response = phoenix(api.key).send(method, route, {"a": 1})

    assert phoenix_refusal(response)[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("GET", "/points/award"),
        ("PUT", "/points/award"),
        ("DELETE", "/points/deduct"),
        ("PATCH", "/points/award-batch"),
        ("GET", "/participants"),
        ("PUT", "/participants/user_123"),
        ("POST", "/participants/user_123"),
        ("DELETE", "/participants/user_123"),
        ("POST", "/participants/user_123/points"),
        ("POST", "/participants/user_123/points/transactions"),
        ("DELETE", "/participants/user_123/state"),
        ("POST", "/admin/participants"),
        ("OPTIONS", "/points/award"),
        ("PROPFIND", "/points/award"),
    ],
)
def test_a_method_that_a_route_does_not_have_is_405(admin_api, nothing_written, method, route):
    with nothing_written():
        response = admin_api.send(method, route, {"participant_id": "user_123", "amount": 5})

    assert refusal(response)[:2] == (405, "method_not_allowed")
    assert method not in response["Allow"]


def test_head_answers_like_get_without_a_body(api):
    response = api.send("HEAD", "/participants/user_123/points")

    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("route", ["/api", "/api/v1", "/api/v1/gamifyx", "/v10", "/v1x/streaks"])
def test_paths_outside_both_bases_are_a_plain_404(db, route):
    assert Client().get(route).status_code == 404


@pytest.mark.parametrize("base", ["/api/v1/gamify", "/v1"])
def test_a_host_that_is_not_allowed_is_400_in_the_format_of_the_dialect(api, settings, base):
    settings.ALLOWED_HOSTS = ["gamify.example"]

    response = Api(api.key, base=base).get("/participants/user_123/points", headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert set(response.json()) == ({"error"} if base == "/v1" else {"detail", "code"})


# --- what no real endpoint does: crash, and refuse in the Phoenix dialect --------------------------------------------


class Crash(APIView):
    authentication_classes = permission_classes = []

    def get(self, request: HttpRequest) -> Response:
        raise RuntimeError("secret detail")

    def post(self, request: HttpRequest) -> Response:
        Participant.objects.count()
        return Response({"not": object()})


def crash_outside_the_framework(request: HttpRequest) -> None:
    raise RuntimeError("secret detail")


class Refuse(KeyViewSet):
    def refuse(self, request: HttpRequest, status: int) -> Response:
        raise DomainError(f"config: {status}", status=status, errors=(FieldError("config", str(status)),))

    def read(self, request: HttpRequest) -> Response:
        return Response(request.data)


urlpatterns = [
    *(path(f"{base}/crash", Crash.as_view()) for base in ("api/v1/gamify", "v1")),
    *(path(f"{base}/crash/plain", crash_outside_the_framework) for base in ("api/v1/gamify", "v1")),
    path("v1/tenants/<int:status>", Refuse.as_view({"get": "refuse"})),
    path("v1/users/<int:status>", Refuse.as_view({"get": "refuse"})),
    path("v1/streaks", Refuse.as_view({"post": "read"})),
    path("v1/streaks/acme/read", Refuse.as_view({"post": "read"})),
    *urls.urlpatterns,
]
handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500


@pytest.fixture
def own_log(caplog, monkeypatch):
    """Return the log output of the product's handler."""
    formatters = (handler.formatter for handler in logging.getLogger().handlers)
    own = next(formatter for formatter in formatters if isinstance(formatter, ProcessorFormatter))
    monkeypatch.setattr(caplog.handler, "formatter", own)
    return caplog


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("method", "route"), [("GET", "/crash"), ("POST", "/crash"), ("GET", "/crash/plain")])
@pytest.mark.parametrize("base", ["/api/v1/gamify", "/v1"])
def test_a_crash_is_500_without_details_and_is_logged_with_the_request_id(api, own_log, method, route, base):
    response = Api(api.key, base=base).send(method, route, {}, headers={"X-Request-Id": "crash-1"})

    read = refusal if base != "/v1" else phoenix_refusal
    assert read(response)[:2] == (500, "internal_error" if base != "/v1" else "INTERNAL_ERROR")
    assert b"secret" not in response.content
    assert b"Traceback" not in response.content
    assert response["X-Request-Id"] == "crash-1"
    assert "request_id=crash-1" in own_log.text


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("status", "answered", "admin_code", "query_code"),
    [
        (400, 400, "VALIDATION_ERROR", "INVALID_INPUT"),
        (401, 401, "UNAUTHORIZED", "UNAUTHORIZED"),
        (403, 403, "FORBIDDEN", "FORBIDDEN"),
        (404, 404, "NOT_FOUND", "NOT_FOUND"),
        (409, 409, "CONFLICT", "CONFLICT"),
        (422, 400, "VALIDATION_ERROR", "INVALID_INPUT"),
        (429, 429, "RATE_LIMITED", "RATE_LIMITED"),
    ],
)
def test_phoenix_has_a_code_for_every_status_of_its_two_gateways(api, status, answered, admin_code, query_code):
    for gateway, code in (("tenants", admin_code), ("users", query_code)):
        response = phoenix(api.key).get(f"/{gateway}/{status}")

        assert phoenix_refusal(response) == (answered, code, f"config: {status}")


@pytest.mark.parametrize(
    ("field", "message", "said"),
    [
        ("config.event_types", "cannot be empty", "config: event_types cannot be empty"),
        ("name", "must be alphanumeric", "name: must be alphanumeric"),
        ("config.condition.min", "must be positive", "config: condition.min must be positive"),
        ("name", "This field is required.", "name: is required"),
        ("config.event_types", "This list may not be empty.", "config: event_types may not be empty"),
        ("config.window.timezone", "Must be an IANA zone.", "config: window.timezone must be an IANA zone"),
        ("config.milestones.0", "A valid integer is required.", "config: milestones.0: A valid integer is required."),
        ("status", '"x" is not a valid choice.', 'status: "x" is not a valid choice.'),
        ("", "Send at least one field.", "Send at least one field."),
    ],
)
def test_phoenix_words_the_first_wrong_field_as_the_spec_does(field, message, said):
    errors = (FieldError(field, message), FieldError("other", "is wrong too"))

    rendered = render(Problem(422, "validation_error", "ignored", errors), path="/v1/tenants/acme/streaks")

    assert rendered == {"error": {"code": "VALIDATION_ERROR", "message": said, "status": 400}}


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"{", "application/json", (400, None)),
        (b"", "application/json", (200, None)),
        (b'{"a": 1e999}', "application/json", (400, None)),
        (b"a=1", "application/x-www-form-urlencoded", (415, "UNSUPPORTED_MEDIA_TYPE")),
        (b'"' + b"x" * 2**20, "application/json", (413, "PAYLOAD_TOO_LARGE")),
    ],
)
@pytest.mark.parametrize(
    ("route", "bad_request"), [("/streaks", "VALIDATION_ERROR"), ("/streaks/acme/read", "INVALID_INPUT")]
)
def test_the_strict_parser_speaks_phoenix_too(api, body, content_type, expected, route, bad_request):
    response = phoenix(api.key).post(route, body, content_type=content_type)

    status, code = expected
    assert response.status_code == status
    assert status == 200 or phoenix_refusal(response)[:2] == (status, code or bad_request)


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("key", "expected"), [(None, (401, "UNAUTHORIZED")), ("bq_live_x", (401, "UNAUTHORIZED"))])
def test_phoenix_refuses_keys_in_its_shape(db, key, expected):
    assert phoenix_refusal(phoenix(key).post("/streaks", {}))[:2] == expected
    assert phoenix_refusal(phoenix(key).send("PUT", "/streaks", {}))[:2] == expected


@pytest.mark.urls(__name__)
def test_a_method_that_a_phoenix_route_does_not_have_is_405_in_its_shape(api):
    assert phoenix_refusal(phoenix(api.key).get("/streaks"))[:2] == (405, "METHOD_NOT_ALLOWED")
