"""A load generator: some keep-alive connections, each with requests prepared as bytes, for a while."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

RequestMaker = Callable[[int, int], bytes]


@dataclass
class Outcome:
    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return sum(self.statuses.values())

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def post(path: str, body: bytes, *, key: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(path: str, *, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n\r\n".encode()


def ask(port: int, request: bytes) -> int:
    """Send one request; answers the status that came back."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(request)
        return _read_answer(sock)


def run(port: int, make: RequestMaker, *, connections: int, seconds: float) -> Outcome:
    """Send `make(connection, n)` over and over; answers how many of which status came back."""
    outcome, lock, stop_at = Outcome(), threading.Lock(), time.monotonic() + seconds

    def work(connection: int) -> None:
        counts: dict[int, int] = {}
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            n = 0
            while time.monotonic() < stop_at:
                sock.sendall(make(connection, n))
                status = _read_answer(sock)
                counts[status] = counts.get(status, 0) + 1
                n += 1
        with lock:
            for status, count in counts.items():
                outcome.statuses[status] = outcome.statuses.get(status, 0) + count

    started = time.monotonic()
    threads = [threading.Thread(target=work, args=(connection,)) for connection in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome.seconds = time.monotonic() - started
    return outcome


def latencies(port: int, request: bytes, *, number: int) -> list[float]:
    """How long each of so many took, one after the other, in seconds; all must be answered 200."""
    took: list[float] = []
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(number):
            began = time.perf_counter()
            sock.sendall(request)
            if (status := _read_answer(sock)) != 200:
                raise RuntimeError(f"answered {status}")
            took.append(time.perf_counter() - began)
    return took


def _read_answer(sock: socket.socket) -> int:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = sock.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += sock.recv(65536)
    return int(head[9:12])
