"""Standard Webhooks signatures (https://www.standardwebhooks.com, symmetric, version 1)."""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime

SECRET_PREFIX = "whsec_"  # noqa: S105 - a public prefix that marks secrets
SECRET_BYTES = 32


def secret_text(key: bytes) -> str:
    """Return a signing key in the form that its owner is shown."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def signature_headers(*, message_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the three headers of one try at `at`. During a change of the secret there is one signature for each of `secrets`."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
