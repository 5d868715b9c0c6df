"""One request as it arrives: first its head, then its body. Also the WSGI environment."""

import sys
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes

from django.conf import settings
from waitress.buffers import OverflowableBuffer
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver, FixedStreamReceiver

from gamify_project.dialects import Problem, is_api_path
from gamify_project.process import server_errors
from gamify_project.process.web import heads

MAX_PAGE_BODY_BYTES = 4 * 1024 * 1024
"""Limit of bodies outside the API. A form with a file of 1 MiB is larger than 1 MiB."""
MAX_FRAMING_FACTOR = 8
"""A body in chunks may take this many times its limit on the wire."""
MAX_CHUNK_LINE_BYTES = 4096
MAX_TRAILER_BYTES = 64 * 1024
END = b"\r\n\r\n"


class Request(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Collects a request. It is ready when `completed` is true, unless `problem` says why it is refused."""

    headers: dict[str, str]
    problem: Problem | None = None
    head: heads.Head

    def __init__(self, adjustments: Any) -> None:
        super().__init__(adjustments)
        self._data = bytearray()
        self._has_skipped_line = False
        self._body_limit = 0

    @property
    def path_for_errors(self) -> str:
        """The decoded path, even if the head is incomplete or invalid."""
        return server_errors.path_of(bytes(self._data))

    def received(self, data: bytes) -> int:
        """Take the next bytes. Return how many belong to this request."""
        consumed: int = self._receive_body(data) if self.headers_finished else self._receive_head(data)
        return consumed

    def _receive_head(self, data: bytes) -> int:
        known = len(self._data)
        self._data += data
        if not self._has_skipped_line and self._data.startswith(b"\r\n"):
            del self._data[:2]  # RFC 9112 section 2.2: one empty line before the request line is ignored
            self._has_skipped_line = True
            self.empty = not self._data
            return len(data) if self.empty else self._receive_rest(data, known=0, skipped=2 - known)
        return self._receive_rest(data, known=known, skipped=0)

    def _receive_rest(self, data: bytes, *, known: int, skipped: int) -> int:
        self.empty = False
        end = self._data.find(END, max(0, known - len(END) + 1))
        try:
            if end < 0:
                heads.check_beginning(self._data, since=known)
                return len(data)
            consumed = end + len(END) + skipped - known
            del self._data[end:]
            self._begin(heads.parse(self._data))
        except heads.Unparsable as error:
            self.refuse(server_errors.problem_of(error.status))
            return len(data)
        return consumed

    def _begin(self, head: heads.Head) -> None:
        """Take over the parsed head, and prepare for the body."""
        self.head = head
        self.headers = head.headers
        self.command, self.version = head.method, head.version
        self.request_uri, self.query, self.path = head.target, head.query, _decoded(head.path)
        self.connection_close = _says_close(head)
        self.headers_finished = True
        self._body_limit = settings.MAX_BODY_BYTES if is_api_path(self.path) else MAX_PAGE_BODY_BYTES
        if head.length > self._body_limit:
            self._refuse_size()
        elif head.is_chunked:
            self.body_rcv = ChunkedReceiver(OverflowableBuffer(self.adj.inbuf_overflow))
        elif head.length:
            self.body_rcv = FixedStreamReceiver(head.length, OverflowableBuffer(self.adj.inbuf_overflow))
        else:
            self.completed = True
        self.expect_continue = head.expects_continue and not self.completed

    def _receive_body(self, data: bytes) -> int:
        body = self.body_rcv
        consumed: int = body.received(data)
        self.body_bytes_received += consumed
        if self.head.is_chunked and (problem := self._chunk_problem()):
            self.refuse(problem)
        elif body.completed:
            self.completed = True
            if self.head.is_chunked:
                self.headers["CONTENT_LENGTH"] = str(len(body))
        return consumed

    def _chunk_problem(self) -> Problem | None:
        body, limit = self.body_rcv, self._body_limit
        if len(body) > limit or self.body_bytes_received > limit * MAX_FRAMING_FACTOR:
            return server_errors.too_large(limit)
        if body.error or len(body.control_line) > MAX_CHUNK_LINE_BYTES or len(body.trailer) > MAX_TRAILER_BYTES:
            return server_errors.BROKEN_BODY
        return None

    def _refuse_size(self) -> None:
        self.refuse(server_errors.too_large(self._body_limit))

    def refuse(self, problem: Problem) -> None:
        """Complete the request with an error, so that it does not reach the application."""
        self.problem = problem
        self.completed = True
        self.expect_continue = False

    def refuse_late(self) -> None:
        """Refuse what did not arrive in time."""
        self.refuse(server_errors.problem_of(408))

    def refuse_truncated(self) -> None:
        """Refuse a body that ended before it was complete."""
        announced = "" if self.head.is_chunked else f" of the {self.head.length}"
        text = f"Request body ended after {len(self.body_rcv)}{announced} bytes that Content-Length announced"
        self.refuse(server_errors.BROKEN_BODY if self.head.is_chunked else server_errors.malformed(text))


def _says_close(head: heads.Head) -> bool:
    connection = head.headers.get("CONNECTION", "").lower()
    if head.version == "1.0":
        return connection != "keep-alive"
    return connection == "close" or head.method == "CONNECT"


def _decoded(path: str) -> str:
    return unquote_to_bytes(path).decode("latin-1") if "%" in path else path


class Environment:
    """Builds WSGI environments. Values that are equal for all requests of a server are prepared once."""

    UNPREFIXED: ClassVar[dict[str, str]] = {"CONTENT_LENGTH": "CONTENT_LENGTH", "CONTENT_TYPE": "CONTENT_TYPE"}

    def __init__(self, *, name: str, port: str, file_wrapper: Callable[..., Any]) -> None:
        self._fixed = {
            "SERVER_NAME": name,
            "SERVER_PORT": port,
            "SERVER_SOFTWARE": "gamify",
            "SCRIPT_NAME": "",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
        }
        self._file_wrapper = file_wrapper

    def of(self, request: Request, address: tuple[str, int]) -> dict[str, Any]:
        """Return the environment of a request from a client's address.

        `REQUEST_URI` is the path as it was sent. `X-Forwarded-*` is passed on as any header: the application decides
        which of it to trust (TRUSTED_PROXIES).
        """
        environment: dict[str, Any] = {
            **self._fixed,
            "REMOTE_ADDR": address[0],
            "REMOTE_PORT": str(address[1]),
            "REQUEST_METHOD": request.command,
            "REQUEST_URI": request.request_uri,
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query,
            "SERVER_PROTOCOL": f"HTTP/{request.version}",
            "wsgi.input": request.get_body_stream(),
        }
        if request.command != "HEAD":  # waitress would send the file as the body of the answer
            environment["wsgi.file_wrapper"] = self._file_wrapper
        for name, value in request.headers.items():
            environment[self.UNPREFIXED.get(name) or f"HTTP_{name}"] = value
        return environment
