"""Counters of rate limits, in Redis or in memory. They count per sliding minute, by the algorithm and the scripts of `limits`.

`limits` asks Redis once for each counter, and once more for the state of a counter. Here all of it is one round trip.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Any

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from limits.util import WindowStats
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

Name = tuple[str, ...]
Window = tuple[int, float, int, float]
"""Count of the previous minute, seconds until it expires, count of the current minute, and seconds until that expires."""

_Call = tuple[Any, list[str], list[int]]
"""A script, its keys and its arguments."""


class Counters:
    """Counters in the memory of this process. Raises: StorageError if the store does not answer."""

    @cached_property
    def limiter(self) -> SlidingWindowCounterRateLimiter:
        return SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, limit: int, name: Name) -> tuple[bool, WindowStats]:
        """Count one call against `limit`. Returns whether it is allowed, and the state of the counter afterwards."""
        item = RateLimitItemPerMinute(limit)
        return self.limiter.hit(item, *name), self.limiter.get_window_stats(item, *name)

    def take_many(self, limit: int, costs: Mapping[Name, int]) -> Mapping[Name, bool]:
        """Count several calls on each of several counters. Returns whether all calls of a counter are allowed; else it counts none."""
        item = RateLimitItemPerMinute(limit)
        return {name: self.limiter.hit(item, *name, cost=cost) for name, cost in costs.items()}


class RedisCounters(Counters):
    """Counters in Redis, which all processes share."""

    def __init__(self, url: str, *, timeout: float) -> None:
        options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry": Retry(NoBackoff(), 0),  # by default redis-py tries four times, with pauses
        }
        self._storage = RedisStorage(url, wrap_exceptions=True, key_prefix="gamify:limits", **options)

    @cached_property
    def limiter(self) -> SlidingWindowCounterRateLimiter:
        return SlidingWindowCounterRateLimiter(self._storage)

    def take(self, limit: int, name: Name) -> tuple[bool, WindowStats]:
        item = RateLimitItemPerMinute(limit)
        keys = self._keys(item, name)
        acquire, read = self._storage.lua_acquire_sliding_window, self._storage.lua_sliding_window
        is_allowed, window = self._run(
            [(acquire, keys, [limit, item.get_expiry(), 1]), (read, keys, [item.get_expiry()])]
        )
        return bool(is_allowed), self._stats(item, name, window)

    def take_many(self, limit: int, costs: Mapping[Name, int]) -> Mapping[Name, bool]:
        item = RateLimitItemPerMinute(limit)
        acquire, expiry = self._storage.lua_acquire_sliding_window, item.get_expiry()
        calls = [(acquire, self._keys(item, name), [limit, expiry, cost]) for name, cost in costs.items()]
        return dict(zip(costs, map(bool, self._run(calls)), strict=True))

    def _keys(self, item: RateLimitItem, name: Name) -> list[str]:
        key = item.key_for(*name)
        storage: Any = self._storage
        windows = storage._previous_window_key(key), storage._current_window_key(key)  # noqa: SLF001 - no public name
        return [storage.prefixed_key(window) for window in windows]

    def _run(self, calls: Sequence[_Call]) -> list[Any]:
        """Run scripts in one round trip, and return their results. A script that Redis lacks is loaded, and its calls are repeated."""
        try:
            results = self._send(calls)
            lacking = [index for index, result in enumerate(results) if isinstance(result, NoScriptError)]
            if lacking:
                self._load({calls[index][0] for index in lacking})
                for index, result in zip(lacking, self._send([calls[index] for index in lacking]), strict=True):
                    results[index] = result
        except RedisError as error:
            raise StorageError(error) from error
        if failure := next((result for result in results if isinstance(result, RedisError)), None):
            raise StorageError(failure)
        return results

    def _send(self, calls: Iterable[_Call]) -> list[Any]:
        client: Any = self._storage.get_connection()
        with client.pipeline(transaction=False) as pipeline:
            for script, keys, arguments in calls:
                pipeline.evalsha(script.sha, len(keys), *keys, *arguments)
            results: list[Any] = pipeline.execute(raise_on_error=False)
        return results

    def _load(self, scripts: Iterable[Any]) -> None:
        client: Any = self._storage.get_connection()
        for script in scripts:
            client.script_load(script.script)

    def _stats(self, item: RateLimitItem, name: Name, window: Sequence[bytes | int | None]) -> WindowStats:
        """Compute the state as `limits` does, from a window that has been read already."""
        reader: Any = copy(self.limiter)
        reader.storage = _ReadWindow(window)
        stats: WindowStats = reader.get_window_stats(item, *name)
        return stats


class _ReadWindow:
    """A storage of one window, in the place of Redis.

    It is one millisecond later than the count: at the very instant at which a counter begins, `limits` reports that it ends now.
    """

    def __init__(self, window: Sequence[bytes | int | None]) -> None:
        previous, previous_ttl, current, current_ttl = (int(each or 0) for each in window)
        self._window: Window = (previous, max(0, previous_ttl - 1) / 1000, current, max(0, current_ttl - 1) / 1000)

    def get_sliding_window(self, key: str, expiry: int) -> Window:
        return self._window
