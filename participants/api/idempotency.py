"""The `Idempotency-Key` header, which must be equal to the key in the body if both are sent (docs/contract.md §3)."""

from rest_framework.request import Request

from participants.engine import is_header_key
from participants.errors import DomainError

HEADER = "Idempotency-Key"
REPLAYED = {"Idempotency-Replayed": "true"}


class IdempotencyKeyInvalid(DomainError):
    code = "IDEMPOTENCY_KEY_INVALID"

    def __init__(self) -> None:
        super().__init__(f"{HEADER} must be 1 to 255 characters out of A-Z, a-z, 0-9, '_', '-', ':' and '.'")


class IdempotencyKeyMismatch(DomainError):
    code = "IDEMPOTENCY_KEY_MISMATCH"

    def __init__(self) -> None:
        super().__init__(f"{HEADER} header and body idempotency_key differ: send one of them, or the same twice")


def header_key(request: Request) -> str | None:
    """Return the key in the header, or None.

    Raises: IdempotencyKeyInvalid.
    """
    key = request.headers.get(HEADER)
    if key is not None and not is_header_key(key):
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
