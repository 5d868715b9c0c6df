"""Middleware of this product, and wrappers that restrict Django's session middleware to the console."""

import re
from collections.abc import Callable
from functools import partial
from secrets import token_hex
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import structlog
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django_otp.middleware import OTPMiddleware

from gamify_project.dialects import is_api_path
from gamify_project.observing import PROBES
from participants.actors import MAX_REASON, ActorKind, act_as, actor_of, give_reason, request_without_actor
from participants.admin.authorization import PICKED_TENANT
from participants.admin.picker import picked_tenant
from participants.api.routes import raw_path, slashes_separate
from participants.database import all_tenants, no_tenant

GetResponse = Callable[[HttpRequest], HttpResponse]

_VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9_\-.:/+=]{1,128}")


class RequestIdMiddleware:
    """Adds `X-Request-Id` to every answer, log line and row of a request: the caller's id if it is valid, else a new one.

    The request begins without an actor. Authentication sets it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _VALID_REQUEST_ID.fullmatch(given) else token_hex(16)
        tokens = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            with request_without_actor(request_id):
                response = self.get_response(request)
        finally:
            structlog.contextvars.reset_contextvars(**tokens)
        response["X-Request-Id"] = request_id
        return response


class TenantScopeMiddleware:
    """Separates tenants in the database: a request sees no tenant's rows until its caller is known (docs/decisions/0030).

    Staff see all tenants in the console. Its pages restrict themselves to the picked tenant.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with all_tenants() if _is_console(request) else no_tenant():
            return self.get_response(request)


class RawPathMiddleware:
    """Distinguishes `%2F` from `/` in API paths, so that a participant may have the id `a/b`.

    WSGI provides a decoded path, in which both look the same; the web server adds the raw path (`REQUEST_URI`). This middleware
    decodes each segment except for `/` and `%`, which `ParticipantIdConverter` decodes later. Under a server that does not
    provide it, the two cannot be distinguished, but routes still match.
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
    if raw == decoded and raw.isascii() and "%" not in raw:
        return raw
    return "/".join(_segment(segment) for segment in raw.split("/"))


def _segment(raw: str) -> str:
    try:
        text = unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeError:
        return quote(raw, safe="%")  # not UTF-8: matches no route
    return text.replace("%", "%25").replace("/", "%2F")


class AnyHostForProbes(CommonMiddleware):
    """Django's middleware, which refuses host names that are not in ALLOWED_HOSTS. For probes it does not look at the name.

    The probes use no host name. A load balancer knows the address of a node, but not the name that clients use.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path_info in PROBES else super().process_request(request)


def console_only(base: type[Any]) -> type[Any]:
    """Return a subclass of the middleware `base` that skips all paths outside the console.

    Sessions, authentication and messages would take a third of the time of an API call.
    """

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


class ConsoleTenantMiddleware:
    """Lets the user of a console page know the picked tenant, in which their roles are asked for (`participants.admin.authorization`)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _is_console(request):
            setattr(request.user, PICKED_TENANT, partial(picked_tenant, request))
        return self.get_response(request)


class ConsoleActorMiddleware:
    """Makes the user of a console page the actor of the request. Before the login the actor is "not logged in".

    A form may have the field `change_reason`, which goes to the change log.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _is_console(request):
            user = request.user
            name = (user.pk, user.get_username()) if user.is_authenticated else ("", "not logged in")
            act_as(actor_of(ActorKind.STAFF, *name))
            if request.method == "POST":
                give_reason(request.POST.get("change_reason", "").strip()[:MAX_REASON])
        return self.get_response(request)


ConsoleSessionMiddleware = console_only(SessionMiddleware)
ConsoleAuthenticationMiddleware = console_only(AuthenticationMiddleware)
ConsoleSecondFactorMiddleware = console_only(OTPMiddleware)
ConsoleMessageMiddleware = console_only(MessageMiddleware)
