"""Creates and revokes the secrets that partners sign with, and verifies signatures. A new secret is returned once, in `NewSecret`."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from participants.engine import signature_of
from participants.errors import NotFound
from participants.models import HmacSecret, Tenant
from participants.secrets import decrypt, encrypt
from participants.selectors import active_secrets
from participants.services.callers import record_caller, revoke
from participants.services.changes import HIDDEN, created

PREFIX = "phx_"
SECRET_BYTES = 32


class HmacSecretNotFound(NotFound):
    code = "hmac_secret_not_found"
    noun = "HMAC secret"


@dataclass(frozen=True)
class NewSecret:
    """A new secret. `text` is what the partner signs with; it cannot be shown again later."""

    row: HmacSecret
    text: str


@transaction.atomic
def create_hmac_secret(*, tenant: Tenant, name: str = "", now: datetime) -> NewSecret:
    """Create a secret for `tenant`, live or sandbox. Its other secrets stay active."""
    text = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    row = HmacSecret.objects.create(tenant=tenant, name=name, ciphertext=encrypt(text), created_at=now)
    record_caller(row, created(row, "name") or {"secret": HIDDEN}, now=now)
    return NewSecret(row=row, text=text)


def revoke_hmac_secret(*, secret_id: str, now: datetime) -> HmacSecret:
    """Revoke the active secret with this id. Raises HmacSecretNotFound."""
    try:
        secret = HmacSecret.objects.active().get(pk=UUID(secret_id))
    except (ValueError, HmacSecret.DoesNotExist):
        raise HmacSecretNotFound(secret_id) from None
    revoke(secret, now=now)
    return secret


def signer_of(*, tenant_name: str, signed: bytes, signature: str) -> HmacSecret | None:
    """Return the secret of this tenant, or of its live or sandbox counterpart, that made `signature` (lower-case hex) of `signed`.

    Returns None if there is no such tenant or secret. All secrets are tried, each in constant time, so that the duration reveals
    nothing about them.
    """
    matching = [row for row in active_secrets(tenant_name) if _has_signed(row, signed, signature)]
    return matching[0] if matching else None


def _has_signed(row: HmacSecret, signed: bytes, signature: str) -> bool:
    text = decrypt(row.ciphertext, of=str(row))
    return text is not None and hmac.compare_digest(signature_of(text, signed), signature)
