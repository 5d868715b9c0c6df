"""API keys that this process has looked up before.

A request with a cached key begins at once, and the look-up travels with the first exchange of the request. If it finds anything else
than before (the key was revoked, its scopes or its tenant changed), `KeyChanged` is raised before the request has written or
answered anything, and the view answers the request again with the present row. On SQLite nothing is cached: there a look-up needs
no round trip.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from django.db.transaction import get_connection

from participants.catalog import bumps_of
from participants.database import Fingerprint, instance_from, waiting_rider
from participants.models import ApiKey, Tenant
from participants.selectors import key_by_digest, verify_key_later
from participants.services.callers import is_use_due

MAX_KEYS = 10_000


class KeyChanged(Exception):
    """The key or its tenant is not as cached, or the connection was lost. The request has written nothing."""


@dataclass(frozen=True)
class _CachedKey:
    key: ApiKey
    fingerprint: Fingerprint
    bumps: int

    def is_usable_at(self, now: datetime) -> bool:
        """Whether a request may begin with it. If this process has changed it, the request would only begin again."""
        is_unchanged = self.bumps == bumps_of(self.key.tenant_id)
        return is_unchanged and self.key.is_active_at(now) and not is_use_due(self.key, now=now)

    def copy(self) -> ApiKey:
        """Return the key and its tenant as new objects, because a request may refresh them."""
        key = instance_from(ApiKey, self.key.__dict__.items(), alias=self.key._state.db)
        key.tenant = instance_from(Tenant, self.key.tenant.__dict__.items(), alias=self.key._state.db)
        return key


_keys: dict[str, _CachedKey] = {}
_is_allowed: ContextVar[bool] = ContextVar("cached_keys_are_allowed", default=False)


@contextmanager
def cached_keys_allowed() -> Iterator[None]:
    """Let `active_key` return cached keys inside the block, which must call `settle_rider` before it answers."""
    token = _is_allowed.set(True)
    try:
        yield
    finally:
        _is_allowed.reset(token)
        waiting_rider(get_connection())


def active_key(digest: str, *, now: datetime) -> ApiKey | None:
    """Return the key with this digest if it is active, with its tenant; None otherwise.

    A cached key is verified by the next exchange with the database, which then may raise KeyChanged.
    """
    cached = _keys.get(digest) if _is_allowed.get() else None
    if cached is None or not cached.is_usable_at(now):
        return _present_key(digest, now=now)

    def check(fingerprint: Fingerprint | None) -> None:
        if fingerprint != cached.fingerprint:
            _keys.pop(digest, None)
            raise KeyChanged

    verify_key_later(digest, cached.key.tenant, check)
    return cached.copy()


def _present_key(digest: str, *, now: datetime) -> ApiKey | None:
    """Look the key up, and cache it unless its tenant is disabled or `last_used_at` is about to change."""
    key, fingerprint = key_by_digest(digest)
    if key is None or not key.is_active_at(now):
        return None
    if fingerprint is None or not key.tenant.is_active or is_use_due(key, now=now):
        return key
    cached = _CachedKey(key, fingerprint, bumps_of(key.tenant_id))
    _remember(digest, cached)
    return cached.copy()


def _remember(digest: str, cached: _CachedKey) -> None:
    if len(_keys) >= MAX_KEYS:
        _keys.pop(next(iter(_keys)), None)
    _keys[digest] = cached
