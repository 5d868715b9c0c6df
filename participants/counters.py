"""Counters of rate limits, in Redis or in memory. They count per sliding minute, by the algorithm and the scripts of `limits`.

`limits` asks Redis once for each counter, and once more for the state of a counter. Here all of it is one call of one script.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from hashlib import sha1
from string import Template
from typing import Any

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from limits.util import WindowStats
from redis import exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

_LAST = "\0"  # a placeholder for the last part of a name

Name = tuple[str, ...]
Window = tuple[int, float, int, float]
"""Count of the previous minute, seconds until it expires, count of the current minute, and seconds until that expires."""

_SCRIPT = Template("""
local function acquire(KEYS, ARGV) $acquire end
local function read(KEYS, ARGV) $read end
local expiry, in_turn = ARGV[1], ARGV[2] == '1'
local answer = {}
for index = 1, #KEYS / 2 do
    local keys = {KEYS[2 * index - 1], KEYS[2 * index]}
    local is_allowed = acquire(keys, {ARGV[2 * index + 1], expiry, ARGV[2 * index + 2]})
    table.insert(answer, is_allowed and 1 or 0)
    if in_turn then
        for _, value in ipairs(read(keys, {expiry})) do table.insert(answer, value or 0) end
        if not is_allowed then break end
    end
end
return answer
""")
"""The scripts of `limits`, for several counters. Answers 1 or 0 for each; in turn, also the four numbers of its window, and no more
counters after one that is above its limit.
"""


Taken = tuple[bool, Callable[[], WindowStats]]
"""Whether a call is allowed, and a function that computes the state of its counter afterwards. Only the last one is shown to clients."""


@lru_cache(maxsize=1024)
def _item(limit: int) -> RateLimitItem:
    return RateLimitItemPerMinute(limit)


class Counters:
    """Counters in the memory of this process. Raises: StorageError if the store does not answer."""

    @cached_property
    def limiter(self) -> SlidingWindowCounterRateLimiter:
        return SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, limit: int, name: Name) -> tuple[bool, WindowStats]:
        """Count one call against `limit`. Returns whether it is allowed, and the state of the counter afterwards."""
        [(is_allowed, state)] = self.take_in_turn([(limit, name, 1)])
        return is_allowed, state()

    def take_in_turn(self, calls: Sequence[tuple[int, Name, int]]) -> list[Taken]:
        """Count calls, each of them (limit, name, cost), up to the first that is refused. It is the last of the result."""
        taken: list[Taken] = []
        for limit, name, cost in calls:
            item = _item(limit)
            is_allowed = self.limiter.hit(item, *name, cost=cost)
            taken.append((is_allowed, partial(self.limiter.get_window_stats, item, *name)))
            if not is_allowed:
                break
        return taken

    def take_many(self, limit: int, costs: Mapping[Name, int]) -> Mapping[Name, bool]:
        """Count several calls on each of several counters. Returns whether all calls of a counter are allowed; else it counts none."""
        item = _item(limit)
        return {name: self.limiter.hit(item, *name, cost=cost) for name, cost in costs.items()}


class RedisCounters(Counters):
    """Counters in Redis, which all processes share. Each thread has a connection of its own, which it uses without a pool."""

    def __init__(self, url: str, *, timeout: float) -> None:
        options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry": Retry(NoBackoff(), 0),  # by default redis-py tries four times, with pauses
        }
        self._storage = RedisStorage(url, wrap_exceptions=True, key_prefix="gamify:limits", **options)
        scripts = {"acquire": self._storage.SCRIPT_ACQUIRE_SLIDING_WINDOW, "read": self._storage.SCRIPT_SLIDING_WINDOW}
        self._script = _SCRIPT.substitute({name: script.decode() for name, script in scripts.items()})
        self._sha = sha1(self._script.encode(), usedforsecurity=False).hexdigest()
        self._thread = threading.local()

    def take_in_turn(self, calls: Sequence[tuple[int, Name, int]]) -> list[Taken]:
        answer = self._run(calls, in_turn=True)
        windows = [answer[start : start + 5] for start in range(0, len(answer), 5)]
        return [
            (bool(is_allowed), partial(_Reader(window).get_window_stats, _item(limit)))
            for (limit, _, _), (is_allowed, *window) in zip(calls, windows, strict=False)
        ]

    def take_many(self, limit: int, costs: Mapping[Name, int]) -> Mapping[Name, bool]:
        answer = self._run([(limit, name, cost) for name, cost in costs.items()], in_turn=False)
        return dict(zip(costs, map(bool, answer), strict=True))

    def _run(self, calls: Sequence[tuple[int, Name, int]], *, in_turn: bool) -> list[int]:
        keys = [key for limit, name, _ in calls for key in self._keys(limit, name)]
        amounts = [amount for limit, _, cost in calls for amount in (limit, cost)]
        arguments = [len(keys), *keys, RateLimitItemPerMinute.GRANULARITY.seconds, int(in_turn), *amounts]
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

    def _keys(self, limit: int, name: Name) -> Sequence[str]:
        """Return the names in Redis of both windows of a counter. Only the last part of `name` differs from request to request."""
        *first, last = name
        return [pattern.replace(_LAST, last) for pattern in self._patterns(limit, tuple(first))]

    @cached_property
    def _patterns(self) -> Callable[[int, Name], Sequence[str]]:
        storage: Any = self._storage

        @lru_cache(maxsize=1024)
        def patterns(limit: int, first: Name) -> Sequence[str]:
            key = _item(limit).key_for(*first, _LAST)
            windows = storage._previous_window_key(key), storage._current_window_key(key)  # noqa: SLF001 - no public name
            return [storage.prefixed_key(window) for window in windows]

        return patterns


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
