"""The WSGI application: API requests pass through fewer middleware classes, and are answered the same."""

import io
from collections.abc import Mapping
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.module_loading import import_string

from gamify_project.wsgi import application
from tests.client import Api

HOOKS = ("process_view", "process_exception", "process_template_response")
PATHS = ["/api/v1/gamify/participants/ada/points", "/api/v1/gamify/nowhere", "/v1/nowhere", "/api/v1/gamify", "/v1"]


def answered(path: str, *, key: str, host: str = "testserver") -> tuple[str, Mapping[str, str], bytes]:
    started: list[Any] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "RAW_URI": path,
        "HTTP_HOST": host,
        "SERVER_NAME": host,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_API_KEY": key,
        "HTTP_X_REQUEST_ID": "one",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
    }
    answer = application(environ, lambda status, headers: started.append((status, dict(headers))))
    body = b"".join(answer)
    status, headers = started[0]
    return status[:3], headers, body


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", PATHS)
def test_an_api_request_is_answered_as_with_all_middleware(api: Api, path: str) -> None:
    long = Client().get(path, HTTP_X_API_KEY=api.key, HTTP_X_REQUEST_ID="one")

    status, headers, body = answered(path, key=api.key)

    varying = {"X-RateLimit-Remaining", "X-RateLimit-Reset"}
    assert (status, body) == (str(long.status_code), long.content)
    assert headers.keys() == dict(long.items()).keys()
    assert all(headers[name] == long[name] for name in headers.keys() - varying)


def test_a_host_that_is_not_allowed_is_refused(api: Api, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["gamify.example"]

    status, _, _ = answered(PATHS[0], key=api.key, host="evil.example")

    assert status == "400"


def test_the_middleware_of_the_api_has_no_hooks_that_its_handler_would_not_call() -> None:
    classes = [import_string(name) for name in settings.API_MIDDLEWARE]

    assert [each for each in classes for hook in HOOKS if hasattr(each, hook)] == []
