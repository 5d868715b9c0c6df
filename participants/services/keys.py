"""Creates and revokes API keys. A new key is returned once, in `NewKey`."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from participants.errors import DomainError, InvalidInput, NotFound
from participants.models import ApiKey, Tenant
from participants.models.keys import Scope
from participants.services.callers import record_caller, revoke
from participants.services.changes import created

LIVE_PREFIX = "bq_live_"
TEST_PREFIX = "bq_test_"
SECRET_BYTES = 32
PREFIX_CHARACTERS = 6


class ApiKeyNotFound(NotFound):
    code = "api_key_not_found"
    noun = "API key"


class ApiKeyAmbiguous(DomainError):
    code = "api_key_ambiguous"
    text = "Several API keys begin with '{}': use the id"


RECORDED = ("prefix", "name", "scopes", "expires_at")


@dataclass(frozen=True)
class NewKey:
    """A new key. `key` is the secret; only its digest is stored, so it cannot be shown again later."""

    row: ApiKey
    key: str


@transaction.atomic
def create_api_key(
    *,
    tenant: Tenant,
    scopes: Sequence[str] = (),
    name: str = "",
    expires_at: datetime | None = None,
    now: datetime,
) -> NewKey:
    """Create a key for `tenant`, live or sandbox. Raises InvalidInput for an unknown scope or an expiry in the past."""
    for scope in scopes:
        if scope not in Scope.values:
            raise InvalidInput("scopes", f"'{scope}' is not a scope; choose from {', '.join(Scope.values)}.")
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("expires_at", "Must be in the future.")
    key = (TEST_PREFIX if tenant.is_sandbox else LIVE_PREFIX) + secrets.token_urlsafe(SECRET_BYTES)
    row = ApiKey.objects.create(
        tenant=tenant,
        name=name,
        prefix=key[: len(LIVE_PREFIX) + PREFIX_CHARACTERS],
        digest=digest_of(key),
        scopes=list(dict.fromkeys(scopes)),
        expires_at=expires_at,
        created_at=now,
    )
    record_caller(row, created(row, *RECORDED), now=now)
    return NewKey(row=row, key=key)


def digest_of(key: str) -> str:
    """SHA-256 of `key` in hex. A key has 256 random bits, so a fast digest is as safe as a slow one."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def revoke_api_key(*, prefix_or_id: str, now: datetime) -> ApiKey:
    """Revoke the key with this id or prefix. Raises ApiKeyNotFound or ApiKeyAmbiguous."""
    matches = list(ApiKey.objects.filter(_has_id_or_prefix(prefix_or_id), revoked_at=None)[:2])
    if not matches:
        raise ApiKeyNotFound(prefix_or_id)
    if len(matches) > 1:
        raise ApiKeyAmbiguous(prefix_or_id)
    revoke(matches[0], now=now)
    return matches[0]


def _has_id_or_prefix(prefix_or_id: str) -> Q:
    try:
        return Q(pk=UUID(prefix_or_id))
    except ValueError:
        return Q(prefix=prefix_or_id)
