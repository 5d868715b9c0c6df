"""The `Idempotency-Key` header, which must be equal to the key in the body if both are sent (docs/contract.md §3)."""

import re

from rest_framework.request import Request

from participants.errors import DomainError

HEADER = "Idempotency-Key"
_IN_META = "HTTP_IDEMPOTENCY_KEY"  # `request.headers` would first collect all headers
KEY_PATTERN = r"^[A-Za-z0-9_\-:.]{1,255}$"
REPLAYED = {"Idempotency-Replayed": "true"}


class IdempotencyKeyInvalid(DomainError):
    code = "IDEMPOTENCY_KEY_INVALID"
    text = f"{HEADER} must be 1 to 255 characters out of A-Z, a-z, 0-9, '_', '-', ':' and '.'"


class IdempotencyKeyMismatch(DomainError):
    code = "IDEMPOTENCY_KEY_MISMATCH"
    text = f"{HEADER} header and body idempotency_key differ: send one of them, or the same twice"


def header_key(request: Request) -> str | None:
    """Return the key in the header, or None.

    Raises: IdempotencyKeyInvalid.
    """
    key = request.META.get(_IN_META)
    if key is not None and not re.fullmatch(KEY_PATTERN, key):
        raise IdempotencyKeyInvalid
    return key


def agreed_key(request: Request, body_key: str | None) -> str | None:
    """Return the key from the header or, if the header is absent, from the body; None without any key.

    Raises: IdempotencyKeyInvalid, IdempotencyKeyMismatch.
    """
    key = header_key(request)
    if key is not None and body_key is not None and key != body_key:
        raise IdempotencyKeyMismatch
    return key if key is not None else body_key
