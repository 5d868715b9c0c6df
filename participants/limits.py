"""Rate limits (contract §4), counted in Redis where configured so that all processes share the count.

Counting must never be why a request fails: where Redis does not answer, requests are served, the failure is logged and
counted, and Redis is left alone for a moment instead of making every request wait for it.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import structlog
from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter

from participants.errors import DomainError
from participants.models import Tenant
from participants.models.callers import Caller, noun_of
from participants.secrets import keyed_hashes

T = TypeVar("T")

REST_AFTER_FAILURE_SECONDS = 5.0

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RateLimitStatus:
    """Where a caller stands against one cap after this request; times are Unix seconds."""

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
    """Raised with `Retry-After`; the code tells which cap."""

    status = 429

    def __init__(self, message: str, standing: RateLimitStatus) -> None:
        retry_after = max(1, math.ceil(standing.reset_at - time.time()))
        super().__init__(message, headers={"Retry-After": str(retry_after), **standing.headers})


class KeyLimitExceeded(RateLimited):
    code = "RATE_LIMIT_KEY_EXCEEDED"

    def __init__(self, standing: RateLimitStatus, *, caller: str = "API key") -> None:
        super().__init__(f"{caller} exceeded {standing.limit} requests per minute", standing)


class ParticipantLimitExceeded(RateLimited):
    code = "RATE_LIMIT_PARTICIPANT_EXCEEDED"

    def __init__(self, standing: RateLimitStatus) -> None:
        super().__init__(f"Participant exceeded {standing.limit} writes per minute", standing)


class AuthenticationLimitExceeded(RateLimited):
    code = "RATE_LIMIT_AUTH_EXCEEDED"

    def __init__(self, standing: RateLimitStatus) -> None:
        super().__init__(f"Too many failed authentications: at most {standing.limit} per minute", standing)


def take_key_request(caller: Caller) -> RateLimitStatus | None:
    """Count one request of a key or a partner's secret; None where nothing limits it. Raises RateLimited."""
    standing, taken = _take(caller.tenant.key_requests_per_minute, 1, "key", str(caller.pk))
    if not taken:
        raise KeyLimitExceeded(_known(standing), caller=noun_of(caller))
    return standing


def take_participant_write(tenant: Tenant, external_id: str) -> RateLimitStatus | None:
    """Count one write for a participant; None where nothing limits it. Raises RateLimited."""
    standing, taken = _take(tenant.participant_writes_per_minute, 1, *_participant_scope(tenant, external_id))
    if not taken:
        raise ParticipantLimitExceeded(_known(standing))
    return standing


def take_participant_writes(tenant: Tenant, external_ids: Sequence[str]) -> dict[int, RateLimited]:
    """Count a batch, an item a write; answers the refused items by their index.

    A participant's items are counted together; one by one only where they do not all fit any more.
    """
    refused: dict[int, RateLimited] = {}
    for external_id, count in Counter(external_ids).items():
        if not _take_all(tenant, external_id, count):
            indexes = [index for index, name in enumerate(external_ids) if name == external_id]
            refused |= _take_one_by_one(tenant, external_id, indexes)
    return refused


def _take_all(tenant: Tenant, external_id: str, count: int) -> bool:
    limit = tenant.participant_writes_per_minute
    if limit == 0:
        return True
    item, name = RateLimitItemPerMinute(limit), _participant_scope(tenant, external_id)
    return _breaker.call(lambda: _limiter().hit(item, *name, cost=count)) in (True, None)


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
    standing, taken = _take(settings.AUTH_FAILURES_PER_MINUTE, 1, "address", address)
    if not taken:
        raise AuthenticationLimitExceeded(_known(standing))


def _participant_scope(tenant: Tenant, external_id: str) -> tuple[str, str, str]:
    """The counter outlives an erased participant for two minutes, so its name does not contain the id."""
    return "participant", str(tenant.pk), keyed_hashes(external_id, purpose="rate limit")[0]


def _known(standing: RateLimitStatus | None) -> RateLimitStatus:
    assert standing is not None, "only a counted request is refused"  # noqa: S101
    return standing


def _take(limit: int, cost: int, *name: str) -> tuple[RateLimitStatus | None, bool]:
    """Count `cost` against `limit` per sliding minute. Without a limit, or an answer, the request is served."""
    if limit == 0:
        return None, True
    item = RateLimitItemPerMinute(limit)

    def count() -> tuple[RateLimitStatus, bool]:
        taken = _limiter().hit(item, *name, cost=cost)
        stats = _limiter().get_window_stats(item, *name)
        return RateLimitStatus(limit, stats.remaining, stats.reset_time), taken

    return _breaker.call(count) or (None, True)


@cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(_storage())


def _storage() -> Storage:
    if not settings.REDIS_URL:
        return MemoryStorage()
    timeout = settings.REDIS_TIMEOUT_SECONDS
    return RedisStorage(
        settings.REDIS_URL,
        wrap_exceptions=True,
        key_prefix="gamify:limits",
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
    )


class _Breaker:
    """Stops asking for a moment after a failure, so that an unanswering Redis costs one request its timeout, not all."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self._rests_until = 0.0

    def call(self, count: Callable[[], T]) -> T | None:
        if time.monotonic() < self._rests_until:
            return None
        try:
            return count()
        except (StorageError, OSError) as error:
            self._rests_until = time.monotonic() + REST_AFTER_FAILURE_SECONDS
            self.failures[type(error).__name__] += 1
            logger.warning("rate_limits_unavailable", error=str(error), failures=self.failures.total())
            return None


_breaker = _Breaker()
