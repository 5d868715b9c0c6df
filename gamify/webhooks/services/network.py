"""Connections to allowed addresses only, with one deadline for the whole try.

1. A name is resolved once, here.
2. Every address that it resolves to is checked.
3. The connection is opened to a checked address.

So it does not matter what the name resolves to a moment later, and no connection is ever opened to a forbidden address. TLS still
checks the name.
"""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from functools import cache
from typing import Any

import httpcore2
from django.conf import settings

from gamify.webhooks.engine.targets import IPAddress, Policy, is_allowed

_local = threading.local()


class NotPublic(Exception):
    """The host is, or resolves to, an address that deliveries must not go to."""


class DeadlineExceeded(httpcore2.TimeoutException):
    """The time for the whole try is over."""


@cache
def policy() -> Policy:
    """The targets that this installation allows (settings)."""
    networks = tuple(ipaddress.ip_network(network) for network in settings.WEBHOOK_NETWORKS)
    return Policy(settings.WEBHOOK_ALLOW_HTTP, frozenset(settings.WEBHOOK_PORTS), networks)


class time_limit:  # noqa: N801 - a context manager
    """Limit the time of all network operations of this thread inside the block. An inner block cannot extend an outer one."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._outer: float | None = getattr(_local, "deadline", None)
        deadline = time.monotonic() + self._seconds
        _local.deadline = deadline if self._outer is None else min(deadline, self._outer)

    def __exit__(self, *_: object) -> None:
        _local.deadline = self._outer


def _remaining() -> float:
    left: float = _local.deadline - time.monotonic()
    if left <= 0:
        raise DeadlineExceeded
    return left


class DeadlineStream(httpcore2.NetworkStream):
    """A stream whose operations share one deadline. A peer that sends a byte now and then cannot extend it."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _remaining())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, _remaining()))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections to allowed addresses. Raises: NotPublic, or what httpcore raises."""

    def __init__(self) -> None:
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        *firsts, last = resolve_allowed(host, port)
        for address in firsts:
            try:
                return self._connect(address, port)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connect(last, port)

    def _connect(self, address: IPAddress, port: int) -> httpcore2.NetworkStream:
        return DeadlineStream(self._sockets.connect_tcp(str(address), port, _remaining()))

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore2.NetworkStream:
        raise NotPublic("a Unix socket")


def resolve_allowed(host: str, port: int) -> Sequence[IPAddress]:
    """Resolve `host` and return its addresses, at least one.

    Raises: NotPublic if deliveries must not go to one of them; ConnectError if the name does not resolve; DeadlineExceeded.
    """
    try:
        found = _look_up(host.strip("[]"), port)
    except TimeoutError as error:
        raise DeadlineExceeded from error
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(f"{host} cannot be resolved") from error
    addresses = list(dict.fromkeys(ipaddress.ip_address(address[0]) for *_, address in found))
    for address in addresses:
        if not is_allowed(address, policy().networks):
            raise NotPublic(f"{host} is {address}" if str(address) != host else host)
    return addresses


def _look_up(host: str, port: int) -> Sequence[Any]:
    """Call `getaddrinfo` in a thread of its own: the call cannot be interrupted, but the thread can be abandoned."""
    answer: Future[Sequence[Any]] = Future()

    def look_up() -> None:
        try:
            answer.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001 - `answer.result` raises it
            answer.set_exception(error)

    threading.Thread(target=look_up, name="webhook-lookup", daemon=True).start()
    return answer.result(timeout=_remaining())
