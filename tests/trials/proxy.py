"""A TCP proxy in front of PostgreSQL that misbehaves: it slows, cuts or half-closes connections, or refuses new ones."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

PIECE = 4096
GOOD, SLOW, SILENT, HALF_CLOSED, REFUSING = "good", "slow", "silent", "half-closed", "refusing"
PAUSE_SECONDS = 0.05


class Proxy:
    """`behaviour` may change at any time, and applies to all connections. `cut` resets them."""

    def __init__(self, target: int) -> None:
        self.behaviour = GOOD
        self._target = target
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._is_closing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Reset all connections, on both sides."""
        pairs, self._pairs = self._pairs, []
        for each in (end for pair in pairs for end in pair):
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def half_close(self) -> None:
        """End the direction from the server to the client, and go on taking what the client sends."""
        for client, _ in self._pairs:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._is_closing = True
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._is_closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            if self.behaviour == REFUSING or self._is_closing:
                client.close()
                server.close()
                continue
            pair = (client, server)
            self._pairs.append(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(PIECE):
                while self.behaviour == SILENT:
                    time.sleep(PAUSE_SECONDS)
                if self.behaviour == SLOW:
                    time.sleep(PAUSE_SECONDS)
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def proxied(port: int) -> Iterator[Proxy]:
    """A proxy in front of `port` on this machine."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
