"""Who calls: `X-API-Key: K` or `Authorization: Bearer K` → the key, its tenant, and where it stands against its cap."""

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from participants import limits, selectors
from participants.errors import DomainError, TenantUnavailable
from participants.models import ApiKey
from participants.services.keys import digest_of, mark_used


class Unauthorized(DomainError):
    code = "unauthorized"
    status = 401

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"WWW-Authenticate": 'Bearer realm="api"'})


class KeyAuthentication(BaseAuthentication):
    """`request.auth` is the ApiKey with its tenant; `request.user` is the same, as the principal of the request."""

    def authenticate(self, request: Request) -> tuple[ApiKey, ApiKey]:
        try:
            key = _standing_key(_presented_key(request))
        except Unauthorized:
            limits.take_authentication_failure(client_address(request))
            raise
        if not key.tenant.is_active:
            raise TenantUnavailable
        mark_used(key, now=timezone.now())
        return key, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _presented_key(request: Request) -> str:
    if key := request.headers.get("X-API-Key"):
        return key
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    raise Unauthorized("API key missing: send it as X-API-Key or as Authorization: Bearer")


def _standing_key(presented: str) -> ApiKey:
    key = _look_up(digest_of(presented))
    if key is None or not key.is_standing(timezone.now()):
        raise Unauthorized("API key is unknown, expired or revoked")
    return key


def _look_up(digest: str) -> ApiKey | None:
    """The first query of a request is the one that finds a connection dropped since the last; it is asked again."""
    try:
        return selectors.key_by_digest(digest)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return selectors.key_by_digest(digest)


def client_address(request: Request) -> str:
    """The caller's address, seen through as many proxies as the operator says are ours."""
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    if 0 < trusted <= len(hops):
        return str(hops[-trusted])
    return str(request.META.get("REMOTE_ADDR", ""))
