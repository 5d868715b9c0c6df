"""A load generator: some keep-alive connections, each with requests prepared as bytes, for a while."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

RequestMaker = Callable[[], bytes]


def post(path: str, body: bytes, *, key: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(path: str, *, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n\r\n".encode()


def ask(port: int, request: bytes) -> int:
    """Send one request; answers the status that came back."""
    with _connected(port) as sock:
        sock.sendall(request)
        return _read_answer(sock)


def rate(port: int, make: RequestMaker, *, connections: int, seconds: float) -> float:
    """Requests of `make` per second. All must be answered 200."""

    def work(_: int) -> int:
        count = 0
        with _connected(port) as sock:
            while time.monotonic() < stop_at:
                _answered(sock, make())
                count += 1
        return count

    started = time.monotonic()
    stop_at = started + seconds
    with ThreadPoolExecutor(connections) as pool:
        return sum(pool.map(work, range(connections))) / (time.monotonic() - started)


def latencies(port: int, request: bytes, *, number: int) -> list[float]:
    """How long each of so many took, one after the other, in seconds; all must be answered 200."""
    with _connected(port) as sock:
        return [_answered(sock, request) for _ in range(number)]


def _connected(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _answered(sock: socket.socket, request: bytes) -> float:
    """Send one request, which must be answered 200; answers how many seconds that took."""
    began = time.perf_counter()
    sock.sendall(request)
    if (status := _read_answer(sock)) != 200:
        raise RuntimeError(f"{request.partition(b' HTTP')[0].decode()} was answered {status}")
    return time.perf_counter() - began


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
