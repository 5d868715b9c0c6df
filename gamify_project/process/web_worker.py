"""gunicorn's threaded worker, with correct ends of connections and a timeout for every wait.

What gunicorn 27 does, and what this worker does instead:

- gunicorn announces `keep-alive`, but closes the connection if the application left more than 64 KiB of a body unread. Here the
  answer says `close` unless the whole body has been read.
- gunicorn closes while the client is still sending, after blocking the whole worker for two seconds. The client then gets a
  reset instead of the answer. Here the event loop reads and discards the rest, up to a limit in bytes and seconds.
- gunicorn waits for the rest of a request for ever. Here headers and bodies must arrive within a time limit.
- gunicorn asks for a body (`100 Continue`) before the request is checked. Here it asks when the body is read, so that a refused
  request need not send it.
- gunicorn answers unparsable requests with an HTML page. Here the path is remembered, for an answer in its dialect (`server_errors`).
"""

import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from gunicorn.http import message, parser, unreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from gamify_project.process import server_errors

HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
UNREAD_BYTES = 1024 * 1024
"""Unread rest of a body that is discarded at most to keep the connection, if it has arrived already."""
LINGER_SECONDS = 10.0
LINGER_BYTES = 64 * 1024 * 1024
STOPPING_LINGER_SECONDS = 1.0
READ_BYTES = 256 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Unreader(unreader.SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """Reads from the socket until a deadline. After the deadline it only returns data that has arrived already."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._deadline = 0.0
        self._asks_for_body = False

    def wait(self, *, seconds: float, asks_for_body: bool = False) -> None:
        """Set the deadline to `seconds` from now. With `asks_for_body`, send `100 Continue` before the next read."""
        self._deadline = time.monotonic() + seconds
        self._asks_for_body = asks_for_body

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Read the next chunk. Raises: OSError if nothing arrives before the deadline."""
        if self._asks_for_body:
            self._asks_for_body = False
            self.sock.sendall(CONTINUE)
        self.sock.settimeout(max(0.0, self._deadline - time.monotonic()))
        try:
            data: bytes = super().chunk(size_hint)
            return data
        finally:
            self.sock.settimeout(None)


class Request(message.Request):  # type: ignore[misc]  # gunicorn has no types
    """One request. The constructor reads its headers; the application reads its body."""

    _expected_100_continue: bool

    def __init__(self, cfg: Any, source: Unreader, peer_addr: Any, req_number: int = 1) -> None:
        source.wait(seconds=HEAD_SECONDS)
        super().__init__(cfg, source, peer_addr, req_number)
        source.wait(seconds=BODY_SECONDS, asks_for_body=self._expected_100_continue)
        self._expected_100_continue = False  # otherwise gunicorn would ask for the body immediately

    def read_line(self, source: Unreader, buf: bytearray, limit: int = 0) -> tuple[bytes, bytearray]:
        server_errors.request_head.set(buf)  # gunicorn appends the rest of the headers to this buffer
        line: tuple[bytes, bytearray] = super().read_line(source, buf, limit)
        return line

    def should_close(self) -> bool:
        """Whether the answer says `close`. gunicorn calls this after the application answered, before it writes the headers."""
        return bool(super().should_close()) or not self._has_been_read()

    def _has_been_read(self) -> bool:
        """Discard the part of the body that has arrived, without waiting. Return False if there is more, or if reading failed."""
        self.unreader.wait(seconds=0)
        left = UNREAD_BYTES
        try:
            while left > 0 and (data := self.body.read(min(left, READ_BYTES))):
                left -= len(data)
        except Exception:  # noqa: BLE001 - nothing more has arrived, or what has arrived is malformed
            return False
        return left > 0 and not self.body.failed


class Parser(parser.RequestParser):  # type: ignore[misc]  # gunicorn has no types
    """The requests of one connection."""

    mesg_class = Request

    def __init__(self, cfg: Any, sock: socket.socket, source_addr: Any) -> None:
        super().__init__(cfg, sock, source_addr)
        self.unreader = Unreader(sock)

    def __next__(self) -> Request:
        try:
            request: Request = super().__next__()
        except (TimeoutError, BlockingIOError):
            server_errors.write_error(self.unreader.sock, 408, "", "")
            raise StopIteration from None
        return request


@dataclass
class Lingering:
    """A connection whose last answer was sent while the client may still be sending."""

    conn: TConn
    since: float
    left: int = LINGER_BYTES

    def is_over(self, now: float, *, is_stopping: bool) -> bool:
        return now - self.since > (STOPPING_LINGER_SECONDS if is_stopping else LINGER_SECONDS)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """The worker class of `gunicorn_config`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lingering: dict[socket.socket, Lingering] = {}

    def handle(self, conn: TConn) -> Any:
        if conn.parser is None:
            conn.parser = Parser(self.cfg, conn.sock, conn.client)
        return super().handle(conn)

    def finish_request(self, conn: TConn, fs: "Future[Any]") -> None:
        if fs.cancelled() or fs.exception() or fs.result() is not False:
            super().finish_request(conn, fs)
        else:
            self._linger(Lingering(conn, time.monotonic()))

    def murder_pending(self) -> None:
        """End lingering connections whose time is over. gunicorn calls this in every iteration of its event loop."""
        super().murder_pending()
        now = time.monotonic()
        for lingering in [*self._lingering.values()]:
            if lingering.is_over(now, is_stopping=not self.alive):
                self._end(lingering)

    def _linger(self, lingering: Lingering) -> None:
        """Close the sending side, then discard what the client still sends, so that it can read the answer."""
        sock = lingering.conn.sock
        try:
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(0.0)
            self._lingering[sock] = lingering
            discard: Callable[[Any], None] = partial(self._discard, lingering)
            self.poller.register(sock, selectors.EVENT_READ, discard)
        except (OSError, ValueError):  # the client has gone
            self._end(lingering)

    def _discard(self, lingering: Lingering, sock: socket.socket) -> None:
        try:
            read = len(sock.recv(READ_BYTES))
        except BlockingIOError:
            return
        except OSError:
            read = 0
        lingering.left -= read
        if read == 0 or lingering.left <= 0:
            self._end(lingering)

    def _end(self, lingering: Lingering) -> None:
        sock = lingering.conn.sock
        if self._lingering.pop(sock, None) and sock in self.poller.get_map():
            self.poller.unregister(sock)
        self.nr_conns -= 1
        lingering.conn.close()
