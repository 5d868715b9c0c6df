"""Partners who sign instead of carrying a key: `X-Tenant-Id`, `X-Timestamp`, `X-Signature` (contract §1).

A replay is bounded by the age of the timestamp: what is open to signatures only reads.
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
    f"{SIGNATURE} matches no standing secret of the tenant in {TENANT}: it is the HMAC-SHA256, in hex, "
    "of method, path, timestamp and body, joined by line feeds"
)

_TIMESTAMP = re.compile(r"[0-9]{1,20}")
_SIGNATURE = re.compile(r"(?:hmac-sha256=)?([0-9a-f]{64})")
_PATH_CHARACTERS = "/!$&'()*+,;=:@~"  # what RFC 3986 lets stand in a path as it is


class SignatureAuthentication(CallerAuthentication):
    """By the HmacSecret that the request is signed with. A request with a key, or without any of the headers, is not."""

    def identify(self, request: Request, *, now: datetime) -> HmacSecret | None:
        if presented_key(request) is not None or not any(name in request.headers for name in HEADERS):
            return None
        return _signer(request, now=now)


def _signer(request: Request, *, now: datetime) -> HmacSecret:
    """The secret that the request is signed with. Raises Unauthorized; DomainError for a body that cannot be read."""
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
        raise Unauthorized(f"{name} missing: a signed request carries {', '.join(HEADERS)}")
    return value


def _timestamp(text: str, *, now: datetime) -> str:
    if not _TIMESTAMP.fullmatch(text):
        raise Unauthorized(f"{TIMESTAMP} must be Unix seconds, such as {int(now.timestamp())}")
    if abs(int(text) - now.timestamp()) > TOLERANCE_SECONDS:
        raise Unauthorized(f"{TIMESTAMP} is more than {TOLERANCE_SECONDS} seconds off: check your clock and sign anew")
    return text


def _signature(text: str) -> str:
    found = _SIGNATURE.fullmatch(text.lower())
    if found is None:
        raise Unauthorized(f"{SIGNATURE} must be hmac-sha256= and 64 hexadecimal digits")
    return found[1]


def _path(request: Request) -> bytes:
    """As it was sent; where the server does not tell that, as most clients would have sent it."""
    raw = raw_path(request.META)
    return quote(request.path, safe=_PATH_CHARACTERS).encode() if raw is None else raw.encode("latin-1", "replace")
