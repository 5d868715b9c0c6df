"""Authentication of partners by signature: `X-Tenant-Id`, `X-Timestamp`, `X-Signature` (docs/contract.md §1).

A signed request can be replayed while its timestamp is valid. Therefore signatures only open endpoints that read.
"""

import re
from datetime import datetime
from urllib.parse import quote

from rest_framework.request import Request

from participants.api.authentication import CallerAuthentication, Unauthorized, presented_key, retry_on_lost_connection
from participants.api.parsers import read_and_rewind_body
from participants.api.routes import raw_path
from participants.engine import signing_text
from participants.models import HmacSecret
from participants.services.hmac import signer_of

TENANT, TIMESTAMP, SIGNATURE = HEADERS = ("X-Tenant-Id", "X-Timestamp", "X-Signature")
TOLERANCE_SECONDS = 300
NO_MATCH = (
    f"{SIGNATURE} matches no active secret of the tenant in {TENANT}: it must be the HMAC-SHA256, in hex, "
    "of method, path, timestamp and body, joined by line feeds"
)

_TIMESTAMP = re.compile(r"[0-9]{1,20}")
_SIGNATURE = re.compile(r"(?:hmac-sha256=)?([0-9a-f]{64})")
_PATH_CHARACTERS = "/!$&'()*+,;=:@~"  # allowed unencoded in a path by RFC 3986


class SignatureAuthentication(CallerAuthentication):
    """Authentication with an HmacSecret. Requests with an API key, or without any of the headers, are left to KeyAuthentication."""

    def identify(self, request: Request, *, now: datetime) -> HmacSecret | None:
        if presented_key(request) is not None or not any(name in request.headers for name in HEADERS):
            return None
        return _signer(request, now=now)


def _signer(request: Request, *, now: datetime) -> HmacSecret:
    """Return the secret that the request is signed with.

    Raises: Unauthorized; DomainError if the body cannot be read.
    """
    tenant_name = _header(request, TENANT)
    timestamp = _timestamp(_header(request, TIMESTAMP), now=now)
    signature = _signature(_header(request, SIGNATURE))
    signed = signing_text(str(request.method), _path(request), timestamp, read_and_rewind_body(request))
    signer = retry_on_lost_connection(lambda: signer_of(tenant_name=tenant_name, signed=signed, signature=signature))
    if signer is None:
        raise Unauthorized(NO_MATCH)
    return signer


def _header(request: Request, name: str) -> str:
    value = request.headers.get(name, "").strip()
    if not value:
        raise Unauthorized(f"{name} missing: a signed request needs the headers {', '.join(HEADERS)}")
    return value


def _timestamp(text: str, *, now: datetime) -> str:
    if not _TIMESTAMP.fullmatch(text):
        raise Unauthorized(f"{TIMESTAMP} must be Unix seconds, such as {int(now.timestamp())}")
    if abs(int(text) - now.timestamp()) > TOLERANCE_SECONDS:
        raise Unauthorized(f"{TIMESTAMP} is more than {TOLERANCE_SECONDS} seconds off: check your clock and sign again")
    return text


def _signature(text: str) -> str:
    match = _SIGNATURE.fullmatch(text.lower())
    if match is None:
        raise Unauthorized(f"{SIGNATURE} must be hmac-sha256= and 64 hexadecimal digits")
    return match[1]


def _path(request: Request) -> bytes:
    """Return the raw path. If the web server does not provide it, encode the decoded path as most clients do."""
    raw = raw_path(request.META)
    return quote(request.path, safe=_PATH_CHARACTERS).encode() if raw is None else raw.encode("latin-1", "replace")
