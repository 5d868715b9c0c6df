"""Authentication with an API key, sent as `X-API-Key: K` or `Authorization: Bearer K`.

The module `signatures` has the other method.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from participants import limits
from participants.actors import MAX_REASON, act_as, give_reason
from participants.api.key_cache import active_key
from participants.database import enter_tenant
from participants.engine import control_character_problem
from participants.errors import DomainError, InvalidInput, TenantUnavailable
from participants.models import ApiKey
from participants.models.callers import Caller, actor_for
from participants.services.callers import mark_used
from participants.services.keys import digest_of

T = TypeVar("T")

REASON = "X-Change-Reason"


class Unauthorized(DomainError):
    code = "unauthorized"
    status = 401

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"WWW-Authenticate": 'Bearer realm="api"'})


class CallerAuthentication(BaseAuthentication):
    """Base of both methods. Sets `request.auth` and `request.user` to the caller, which is an ApiKey or an HmacSecret.

    The caller is the actor of the request.
    """

    def authenticate(self, request: Request) -> tuple[Caller, Caller] | None:
        now = timezone.now()
        try:
            caller = self.identify(request, now=now)
        except Unauthorized:
            limits.take_authentication_failure(client_address(request))
            raise
        if caller is None:
            return None
        if not caller.tenant.is_active:
            raise TenantUnavailable
        act_as(actor_for(caller))
        give_reason(reason_in(request))
        enter_tenant(caller.tenant.pk)
        mark_used(caller, now=now)
        return caller, caller

    def identify(self, request: Request, *, now: datetime) -> Caller | None:
        """Return the caller, or None to let the next authentication class try.

        Raises: Unauthorized.
        """
        raise NotImplementedError

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class KeyAuthentication(CallerAuthentication):
    """Authentication with an ApiKey. A request without a key is refused."""

    def identify(self, request: Request, *, now: datetime) -> ApiKey:
        presented = presented_key(request)
        if presented is None:
            raise Unauthorized("API key missing: send it as X-API-Key or as Authorization: Bearer")
        key = retry_on_lost_connection(lambda: active_key(digest_of(presented), now=now))
        if key is None:
            raise Unauthorized("API key is unknown, expired or revoked")
        return key


def presented_key(request: Request) -> str | None:
    """Return the key in either header without checking it, or None."""
    if key := request.META.get("HTTP_X_API_KEY"):
        return str(key)
    kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def reason_in(request: Request) -> str:
    """Return the text of `X-Change-Reason`, or nothing. Its bytes are UTF-8. Raises: InvalidInput."""
    sent = request.META.get(f"HTTP_{REASON.upper().replace('-', '_')}")
    if not sent:
        return ""
    text = str(sent).encode("latin-1", "replace").decode(errors="replace").strip()
    if len(text) > MAX_REASON:
        raise InvalidInput(REASON, f"Must have at most {MAX_REASON} characters.")
    if problem := control_character_problem(text):
        raise InvalidInput(REASON, problem)
    return text


def retry_on_lost_connection(query: Callable[[], T]) -> T:
    """Run `query`; if the database connection was lost, reconnect and run it once more.

    Only the first query of a request needs this: it notices that the connection was lost since the last request.
    """
    try:
        return query()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return query()


def client_address(request: Request) -> str:
    """Return the address of the caller: entry number `TRUSTED_PROXIES` of X-Forwarded-For, counted from its end.

    With TRUSTED_PROXIES=0, or fewer entries than that, it is the address of the connection.
    """
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    if 0 < trusted <= len(hops):
        return str(hops[-trusted])
    return str(request.META.get("REMOTE_ADDR", ""))
