"""Rate limits (docs/contract.md §4). They are counted in Redis if it is configured, so that all processes share the count.

A request never fails because counting fails: if Redis does not answer, requests are served (`participants.breakers`).
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from django.conf import settings

from participants.breakers import redis_breaker
from participants.counters import Counters, RedisCounters
from participants.errors import DomainError
from participants.models import Tenant
from participants.models.callers import Caller, noun_of
from participants.secrets import keyed_hashes

PURPOSE = "rate limits"


@dataclass(frozen=True)
class RateLimitStatus:
    """One limit after this request: requests per minute, requests left, and the Unix time at which the window resets."""

    limit: int
    remaining: int
    reset_at: float

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(math.ceil(self.reset_at)),
        }


class RateLimited(DomainError):
    """A request above a limit. The code says which limit. The headers include `Retry-After`."""

    status = 429

    def __init__(self, limit_status: RateLimitStatus, *values: object) -> None:
        retry_after = max(1, math.ceil(limit_status.reset_at - time.time()))
        headers = {"Retry-After": str(retry_after), **limit_status.headers}
        super().__init__(limit_status.limit, *values, headers=headers)


class KeyLimitExceeded(RateLimited):
    code = "RATE_LIMIT_KEY_EXCEEDED"
    text = "{1} exceeded {0} requests per minute"

    def __init__(self, limit_status: RateLimitStatus, *, caller: str = "API key") -> None:
        super().__init__(limit_status, caller)


class ParticipantLimitExceeded(RateLimited):
    code = "RATE_LIMIT_PARTICIPANT_EXCEEDED"
    text = "Participant exceeded {} writes per minute"


class AuthenticationLimitExceeded(RateLimited):
    code = "RATE_LIMIT_AUTH_EXCEEDED"
    text = "Too many failed authentications: at most {} per minute"


def take_key_request(caller: Caller) -> RateLimitStatus | None:
    """Count one request of a key or a partner's secret. Returns None if there is no limit. Raises RateLimited."""

    def refusal(limit_status: RateLimitStatus) -> RateLimited:
        return KeyLimitExceeded(limit_status, caller=noun_of(caller))

    return _take(caller.tenant.key_requests_per_minute, refusal, "key", str(caller.pk))


def take_participant_write(tenant: Tenant, external_id: str) -> RateLimitStatus | None:
    """Count one write for a participant. Returns None if there is no limit. Raises RateLimited."""
    scope = _participant_scope(tenant, external_id)
    return _take(tenant.participant_writes_per_minute, ParticipantLimitExceeded, *scope)


def take_participant_writes(tenant: Tenant, external_ids: Sequence[str]) -> dict[int, RateLimited]:
    """Count each item of a batch as one write. Returns the refused items by their index.

    The items of a participant are counted together, and one by one only if they exceed the limit together.
    """
    limit = tenant.participant_writes_per_minute
    if limit == 0:
        return {}
    scopes = {name: _participant_scope(tenant, name) for name in external_ids}
    costs: Counter[tuple[str, ...]] = Counter(scopes[name] for name in external_ids)
    allowed = redis_breaker.call(lambda: _counters().take_many(limit, costs), purpose=PURPOSE) or {}
    refused: dict[int, RateLimited] = {}
    for external_id, scope in scopes.items():
        if not allowed.get(scope, True):
            indexes = [index for index, name in enumerate(external_ids) if name == external_id]
            refused |= _take_one_by_one(tenant, external_id, indexes)
    return refused


def _take_one_by_one(tenant: Tenant, external_id: str, indexes: Iterable[int]) -> dict[int, RateLimited]:
    refused: dict[int, RateLimited] = {}
    for index in indexes:
        try:
            take_participant_write(tenant, external_id)
        except RateLimited as error:
            refused[index] = error
    return refused


def take_authentication_failure(address: str) -> None:
    """Count one failed authentication from `address`. Raises RateLimited."""
    _take(settings.AUTH_FAILURES_PER_MINUTE, AuthenticationLimitExceeded, "address", address)


def _participant_scope(tenant: Tenant, external_id: str) -> tuple[str, str, str]:
    """Return the name of a participant's counter. It contains a hash of the id, because a counter outlives an erased participant."""
    return "participant", str(tenant.pk), keyed_hashes(external_id, purpose="rate limit")[0]


def _take(limit: int, refusal: Callable[[RateLimitStatus], RateLimited], *name: str) -> RateLimitStatus | None:
    """Count one call against `limit` per sliding minute, and return the status. Raises `refusal` if the limit is exceeded.

    Every call is allowed, with the status None, if `limit` is 0 or the store does not answer.
    """
    if limit == 0:
        return None
    counted = redis_breaker.call(lambda: _counters().take(limit, name), purpose=PURPOSE)
    if counted is None:
        return None
    is_allowed, stats = counted
    limit_status = RateLimitStatus(limit, stats.remaining, stats.reset_time)
    if not is_allowed:
        raise refusal(limit_status)
    return limit_status


@cache
def _counters() -> Counters:
    if not settings.REDIS_URL:
        return Counters()
    return RedisCounters(settings.REDIS_URL, timeout=settings.REDIS_TIMEOUT_SECONDS)
