"""Middleware of our own, and Django's console middleware kept off the API."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote_to_bytes
from uuid import uuid4

import structlog
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse

from gamify_project.dialects import is_api_path
from participants.api.routes import raw_path, slashes_separate

GetResponse = Callable[[HttpRequest], HttpResponse]

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9_\-.:/+=]{1,128}")


class RequestIdMiddleware:
    """Every answer carries `X-Request-Id`, the caller's own where it is sane; every log line of the request has it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = asked if _SANE_REQUEST_ID.fullmatch(asked) else uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class RawPathMiddleware:
    """Keep `%2F` apart from `/` on API paths, so that a participant may be called `a/b`.

    WSGI hands over a decoded path in which the two look alike; gunicorn adds the path as it was sent (`RAW_URI`). The
    path that routes then see has each segment decoded but for `/` and `%`; `participants.api.urls` decodes those two.
    Under a server that tells no raw path the segments cannot be told apart, and the routes still match.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_api_path(request.path_info):
            raw = raw_path(request.META)
            slashes_separate.set(raw is not None)
            request.path_info = _routable(raw, request.path_info)
        return self.get_response(request)


def _routable(raw: str | None, decoded: str) -> str:
    if raw is None:
        return decoded.replace("%", "%25")
    return "/".join(_segment(segment) for segment in raw.split("/"))


def _segment(raw: str) -> str:
    try:
        text = unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeError:
        return quote(raw, safe="%")  # not UTF-8: no route will match it
    return text.replace("%", "%25").replace("/", "%2F")


def console_only(base: type[Any]) -> type[Any]:
    """`base`, entered for console pages alone: sessions and the like cost an API call a third of its time."""

    class ConsoleOnly(base):  # type: ignore[misc]
        def __call__(self, request: HttpRequest) -> HttpResponse:
            handle = super().__call__ if _is_console(request) else self.get_response
            response: HttpResponse = handle(request)
            return response

    if hasattr(base, "process_view"):

        def process_view(self: Any, request: HttpRequest, *args: Any) -> HttpResponse | None:
            return base.process_view(self, request, *args) if _is_console(request) else None

        ConsoleOnly.process_view = process_view
    ConsoleOnly.__name__ = ConsoleOnly.__qualname__ = f"Console{base.__name__}"
    return ConsoleOnly


def _is_console(request: HttpRequest) -> bool:
    return request.path_info.startswith(settings.CONSOLE_PREFIX)


ConsoleSessionMiddleware = console_only(SessionMiddleware)
ConsoleAuthenticationMiddleware = console_only(AuthenticationMiddleware)
ConsoleMessageMiddleware = console_only(MessageMiddleware)
