"""Rate limits (docs/contract.md §4). They are counted in Redis if it is configured, so that all processes share the count.

A request never fails because counting fails: if Redis does not answer, requests are served (`participants.breakers`).
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from limits.util import WindowStats

from participants.breakers import redis_breaker
from participants.counters import Counters, Name, RedisCounters
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


class Attempts:
    """What one request has counted so far. When it begins again, it counts nothing twice."""

    def __init__(self) -> None:
        self._counted: Counter[Name] = Counter()
        self._earlier: Counter[Name] = Counter()

    def begin_again(self) -> None:
        """Take what the attempt before has counted as counted."""
        self._counted, self._earlier = Counter(), self._counted

    def rest(self, name: Name, cost: int) -> int:
        """Return how much of `cost` the attempt before has not counted."""
        return max(0, cost - self._earlier[name]) if self._earlier else cost

    def note(self, name: Name, cost: int) -> None:
        """Note that `cost` is counted, now or by the attempt before."""
        self._counted[name] += cost
        if self._earlier:
            self._earlier[name] = max(0, self._earlier[name] - cost)


_attempts: ContextVar[Attempts | None] = ContextVar("attempts", default=None)


@contextmanager
def one_request() -> Iterator[Attempts]:
    """Count the block as one request, even if it has to begin again."""
    attempts = Attempts()
    token = _attempts.set(attempts)
    try:
        yield attempts
    finally:
        _attempts.reset(token)


def take_key_request(caller: Caller) -> RateLimitStatus | None:
    """Count one request of a key or a partner's secret. Returns None if there is no limit. Raises RateLimited."""
    return _take(_key_requests(caller))


def take_participant_write(tenant: Tenant, external_id: str) -> RateLimitStatus | None:
    """Count one write for a participant. Returns None if there is no limit. Raises RateLimited."""
    return _take(_participant_writes(tenant, external_id))


def take_request_and_write(caller: Caller, tenant: Tenant, external_id: str) -> RateLimitStatus | None:
    """Count one request of `caller` and, if that is allowed, one write for a participant, in one round trip.

    Returns the status of the participant's limit; of the caller's, if participants have none. Raises RateLimited.
    """
    return _take(_key_requests(caller), _participant_writes(tenant, external_id))


def take_participant_writes(tenant: Tenant, external_ids: Sequence[str]) -> dict[int, RateLimited]:
    """Count each item of a batch as one write. Returns the refused items by their index.

    The items of a participant are counted together, and one by one only if they exceed the limit together.
    """
    limit = tenant.participant_writes_per_minute
    if limit == 0:
        return {}
    scopes = {name: _participant_scope(tenant, name) for name in external_ids}
    costs: Counter[tuple[str, ...]] = Counter(scopes[name] for name in external_ids)
    allowed = _take_many(limit, costs)
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
    _take(_Limit(settings.AUTH_FAILURES_PER_MINUTE, ("address", address), AuthenticationLimitExceeded))


@dataclass(frozen=True)
class _Limit:
    """A limit of calls per sliding minute, 0 for none, the name of its counter, and the refusal above it."""

    amount: int
    name: Name
    refusal: Callable[[RateLimitStatus], RateLimited]

    def status(self, window: WindowStats) -> RateLimitStatus:
        return RateLimitStatus(self.amount, window.remaining, window.reset_time)


def _key_requests(caller: Caller) -> _Limit:
    def refusal(limit_status: RateLimitStatus) -> RateLimited:
        return KeyLimitExceeded(limit_status, caller=noun_of(caller))

    return _Limit(caller.tenant.key_requests_per_minute, ("key", str(caller.pk)), refusal)


def _participant_writes(tenant: Tenant, external_id: str) -> _Limit:
    scope = _participant_scope(tenant, external_id)
    return _Limit(tenant.participant_writes_per_minute, scope, ParticipantLimitExceeded)


def _participant_scope(tenant: Tenant, external_id: str) -> tuple[str, str, str]:
    """Return the name of a participant's counter. It contains a hash of the id, because a counter outlives an erased participant."""
    return "participant", str(tenant.pk), keyed_hashes(external_id, purpose="rate limit")[0]


def _take(*limits: _Limit) -> RateLimitStatus | None:
    """Count one call against each of `limits`, in turn. Returns the status of the last. Raises its refusal if one is exceeded.

    Every call is allowed, with the status None, if there are no limits or the store does not answer.
    """
    limits = tuple(limit for limit in limits if limit.amount)
    if not limits:
        return None
    attempts = _attempts.get() or Attempts()
    calls = [(limit.amount, limit.name, attempts.rest(limit.name, 1)) for limit in limits]
    counted = redis_breaker.call(lambda: _counters().take_in_turn(calls), purpose=PURPOSE)
    if counted is None:
        return None
    for limit, (is_allowed, state) in zip(limits, counted, strict=False):
        if not is_allowed:
            raise limit.refusal(limit.status(state()))
        attempts.note(limit.name, 1)
    last, (_, state) = limits[-1], counted[-1]
    return last.status(state())


def _take_many(limit: int, costs: Mapping[Name, int]) -> Mapping[Name, bool]:
    """Count several calls for each name. Returns whether they are allowed; empty if the store does not answer."""
    attempts = _attempts.get() or Attempts()
    rest = {name: attempts.rest(name, cost) for name, cost in costs.items()}
    allowed = redis_breaker.call(lambda: _counters().take_many(limit, rest), purpose=PURPOSE) or {}
    for name, is_allowed in allowed.items():
        if is_allowed:
            attempts.note(name, costs[name])
    return allowed


@cache
def _counters() -> Counters:
    if not settings.REDIS_URL:
        return Counters()
    return RedisCounters(settings.REDIS_URL, timeout=settings.REDIS_TIMEOUT_SECONDS)
