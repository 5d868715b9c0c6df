"""Counters of rate limits, in Redis or in memory. They count per sliding minute, by the algorithm and the scripts of `limits`.

`limits` asks Redis once for each counter, and once more for the state of a counter. Here all of it is one call of one script.
"""

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from hashlib import sha1
from string import Template
from typing import Any

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from limits.util import WindowStats
from redis import exceptions

Name = tuple[str, ...]
Window = tuple[int, float, int, float]
"""Count of the previous minute, seconds until it expires, count of the current minute, and seconds until that expires."""

_SCRIPT = Template("""
local function acquire(KEYS, ARGV) $acquire end
local function read(KEYS, ARGV) $read end
local expiry, limit, has_stats = ARGV[1], ARGV[2], ARGV[3] == '1'
local answer = {}
for index = 1, #KEYS / 2 do
    local keys = {KEYS[2 * index - 1], KEYS[2 * index]}
    table.insert(answer, acquire(keys, {limit, expiry, ARGV[3 + index]}) and 1 or 0)
    if has_stats then
        for _, value in ipairs(read(keys, {expiry})) do table.insert(answer, value or 0) end
    end
end
return answer
""")
"""The scripts of `limits`, for several counters. Answers for each counter 1 or 0, and with stats the four numbers of its window."""


@lru_cache(maxsize=1024)
def _item(limit: int) -> RateLimitItem:
    return RateLimitItemPerMinute(limit)


class Counters:
    """Counters in the memory of this process. Raises: StorageError if the store does not answer."""

    @cached_property
    def limiter(self) -> SlidingWindowCounterRateLimiter:
        return SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, limit: int, name: Name, *, cost: int = 1) -> tuple[bool, WindowStats]:
        """Count `cost` calls against `limit`. Returns whether they are allowed, and the state of the counter afterwards."""
        item = _item(limit)
        return self.limiter.hit(item, *name, cost=cost), self.limiter.get_window_stats(item, *name)

    def take_many(self, limit: int, costs: Mapping[Name, int]) -> Mapping[Name, bool]:
        """Count several calls on each of several counters. Returns whether all calls of a counter are allowed; else it counts none."""
        item = _item(limit)
        return {name: self.limiter.hit(item, *name, cost=cost) for name, cost in costs.items()}


class RedisCounters(Counters):
    """Counters in Redis, which all processes share. Each thread has a connection of its own, which it uses without a pool."""

    def __init__(self, url: str, *, timeout: float) -> None:
        options: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        self._storage = RedisStorage(url, wrap_exceptions=True, key_prefix="gamify:limits", **options)
        scripts = {"acquire": self._storage.SCRIPT_ACQUIRE_SLIDING_WINDOW, "read": self._storage.SCRIPT_SLIDING_WINDOW}
        self._script = _SCRIPT.substitute({name: script.decode() for name, script in scripts.items()})
        self._sha = sha1(self._script.encode(), usedforsecurity=False).hexdigest()
        self._thread = threading.local()

    def take(self, limit: int, name: Name, *, cost: int = 1) -> tuple[bool, WindowStats]:
        item = _item(limit)
        is_allowed, *window = self._run(item, {name: cost}, has_stats=True)
        return bool(is_allowed), _Reader(window).get_window_stats(item, *name)

    def take_many(self, limit: int, costs: Mapping[Name, int]) -> Mapping[Name, bool]:
        return dict(zip(costs, map(bool, self._run(_item(limit), costs, has_stats=False)), strict=True))

    def _run(self, item: RateLimitItem, costs: Mapping[Name, int], *, has_stats: bool) -> list[int]:
        keys = [key for name in costs for key in self._keys(item, name)]
        arguments = [len(keys), *keys, item.get_expiry(), item.amount, int(has_stats), *costs.values()]
        try:
            answer = self._ask(arguments)
        except exceptions.RedisError as error:
            raise StorageError(error) from error
        return [int(value) for value in answer]

    def _ask(self, arguments: Sequence[Any]) -> list[Any]:
        """Run the script. If the connection was lost since its last use, open it again."""
        connection = self._connection()
        was_open = connection.is_connected
        try:
            return self._evaluate(connection, arguments)
        except exceptions.ConnectionError:
            if not was_open:
                raise
            return self._evaluate(connection, arguments)

    def _evaluate(self, connection: Any, arguments: Sequence[Any]) -> list[Any]:
        try:
            connection.send_command("EVALSHA", self._sha, *arguments)
            answer: list[Any] = connection.read_response()
        except exceptions.NoScriptError:
            connection.send_command("EVAL", self._script, *arguments)
            answer = connection.read_response()
        return answer

    def _connection(self) -> Any:
        connection = getattr(self._thread, "connection", None)
        if connection is None:
            client: Any = self._storage.get_connection()
            connection = self._thread.connection = client.connection_pool.make_connection()
        return connection

    def _keys(self, item: RateLimitItem, name: Name) -> list[str]:
        key = item.key_for(*name)
        storage: Any = self._storage
        windows = storage._previous_window_key(key), storage._current_window_key(key)  # noqa: SLF001 - no public name
        return [storage.prefixed_key(window) for window in windows]


class _Reader(SlidingWindowCounterRateLimiter):
    """Computes the state of a counter as `limits` does, from a window that has been read already."""

    storage: Any

    def __init__(self, window: Sequence[int]) -> None:
        self.storage = _ReadWindow(window)


class _ReadWindow:
    """A storage of one window, in the place of Redis.

    It is one millisecond later than the count: at the very instant at which a counter begins, `limits` reports that it ends now.
    """

    def __init__(self, window: Sequence[int]) -> None:
        previous, previous_ttl, current, current_ttl = window
        self._window: Window = (previous, max(0, previous_ttl - 1) / 1000, current, max(0, current_ttl - 1) / 1000)

    def get_sliding_window(self, key: str, expiry: int) -> Window:
        return self._window
