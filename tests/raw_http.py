"""HTTP as bytes on a socket: for what client libraries do not send, and for what they hide of an answer."""

import contextlib
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

ENOUGH_SECONDS = 20.0
MEBIBYTE = 1024 * 1024
GAMIFY, PHOENIX = "/api/v1/gamify", "/v1"


class NoAnswer(Exception):
    """The connection ended before an answer was complete."""


@dataclass(frozen=True)
class Answer:
    """One final answer; header names are in lower case. `interim` is how many `100 Continue` came before it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    interim: int = 0

    @property
    def says_close(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One connection, on which any bytes can be sent."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=ENOUGH_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes, *, piece: int = MEBIBYTE, pause: float = 0) -> None:
        """Send it in pieces with pauses. What the server does not take any more is dropped."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for start in range(0, len(data), piece):
                self._socket.sendall(data[start : start + piece])
                time.sleep(pause)

    def send_until_refused(self, data: bytes, *, times: int) -> int:
        """Send it again and again; return how many bytes were taken before the server reset the connection."""
        sent = 0
        with contextlib.suppress(OSError):
            for _ in range(times):
                self._socket.sendall(data)
                sent += len(data)
        return sent

    def close(self) -> None:
        self._socket.close()

    def end_sending(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def answer(self, method: str = "GET") -> Answer:
        """The next final answer. Raises NoAnswer."""
        interim = 0
        while (read := self._status_and_headers())[0] < 200:
            interim += 1
        status, headers = read
        return Answer(status, headers, b"" if method == "HEAD" else self._body(headers), interim)

    def interim(self) -> int:
        """The status of an answer that is not final. Raises NoAnswer."""
        return self._status_and_headers()[0]

    def _status_and_headers(self) -> tuple[int, Mapping[str, str]]:
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        return int(first.split(" ")[1]), {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self._exactly(int(headers.get("content-length", 0)))
        body = b""
        while chunk := self.chunk():
            body += chunk
        return body

    def chunk(self) -> bytes:
        """The next chunk of a body; empty at its end. Raises NoAnswer."""
        chunk = self._exactly(int(self._until(b"\r\n"), 16))
        self._exactly(2)
        return chunk

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._read:
            self._receive()
        found, _, self._read = self._read.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._read) < size:
            self._receive()
        found, self._read = self._read[:size], self._read[size:]
        return found

    def _receive(self) -> None:
        try:
            data = self._socket.recv(65536)
        except OSError as error:
            raise NoAnswer(repr(error)) from error
        if not data:
            raise NoAnswer(f"closed after {self._read!r}")
        self._read += data


def head(method: str, target: str, *headers: str) -> bytes:
    """The head of a request; `headers` are whole lines."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode("latin-1")


def chunked(body: bytes, *, size: int = 16 * 1024) -> bytes:
    """The body as chunks."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def ask(port: int, method: str, target: str, *headers: str, body: bytes = b"") -> Answer:
    """One request on a connection of its own, and its answer."""
    with Connection(port) as connection:
        connection.send(head(method, target, *headers) + body)
        return connection.answer(method)


def assert_in_shape(answer: Answer, target: str) -> None:
    """A refusal has the shape of the dialect that its path belongs to."""
    assert answer.headers["content-type"] == "application/json", answer
    assert answer.headers["x-request-id"]
    if target.startswith(PHOENIX):
        assert set(answer.json()) == {"error"}
        assert set(answer.json()["error"]) == {"code", "message", "status"}
        assert answer.json()["error"]["status"] == answer.status
    else:
        assert set(answer.json()) - {"errors"} == {"detail", "code"}
