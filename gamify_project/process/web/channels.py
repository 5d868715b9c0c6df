"""One connection: it collects requests, is served, and ends in a way that lets the client read the last answer."""

import socket
import time
from typing import Any

import structlog
from waitress.channel import ClientDisconnected, HTTPChannel

from gamify_project.process import server_errors
from gamify_project.process.web.answers import Answer
from gamify_project.process.web.requests import Request

HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
READER_SECONDS = 30.0
"""How long a client may take to read the next part of an answer."""
LINGER_SECONDS = 10.0
LINGER_BYTES = 64 * 1024 * 1024
"""What a client may still send after its last answer. It is discarded."""
STOPPING_LINGER_SECONDS = 1.0
READ_BYTES = 64 * 1024

logger = structlog.get_logger(__name__)


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection. Only the thread that leads the loop calls its methods, except for `service` and what that calls.

    While `is_busy`, a request waits for a thread or runs. Nothing more is read then.
    """

    socket: Any  # None after the end of the connection
    requests: list[Request]
    close_when_flushed: bool
    receiving: Request | None = None
    is_busy = False
    is_lingering = False
    queued_at = 0.0
    watched = 0  # the events for which the loop's selector has registered the socket

    def __init__(self, server: Any, sock: socket.socket, addr: Any, adj: Any, map: Any = None) -> None:  # noqa: A002 - waitress's name
        super().__init__(server, sock, addr, adj, map=map)
        self.deadline = time.monotonic() + HEAD_SECONDS
        self._unparsed = b""
        self._left_to_discard = LINGER_BYTES
        server.loop.add(self)

    # --- reading ----------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Receive what has arrived. Afterwards, `requests` may contain a complete request."""
        try:
            data = self.socket.recv(READ_BYTES) if self.socket else b""
        except BlockingIOError:
            return
        except OSError:
            self.handle_close()
            return
        if self.is_lingering:
            self._discard(len(data))
        elif data:
            self._unparsed += data
            self.parse()
        else:
            self._end_of_input()

    def parse(self) -> None:
        """Parse until a request is complete, or everything that has arrived is parsed."""
        while self._unparsed and not self.requests and not self.close_when_flushed:
            request = self.receiving
            if request is None:
                request = self.receiving = Request(self.adj)
                self.deadline = time.monotonic() + HEAD_SECONDS
            had_head = request.headers_finished
            consumed = request.received(self._unparsed)
            self._unparsed = self._unparsed[consumed:]
            if request.headers_finished and not had_head:
                self.deadline = time.monotonic() + BODY_SECONDS
                self._ask_for_body(request)
            self._take(request)

    def _ask_for_body(self, request: Request) -> None:
        """Send `100 Continue`, unless the client has sent the body without waiting for it."""
        if request.expect_continue and not self._unparsed:
            self.send_continue()

    def send_continue(self) -> None:
        self.write_soon(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _take(self, request: Request) -> None:
        if request.empty:
            self.receiving = None
        elif request.problem:
            self.refuse(request)
        elif request.completed:
            self.receiving = None
            self.requests.append(request)

    @property
    def has_more(self) -> bool:
        """Whether bytes have arrived that are not parsed, because an earlier request was not answered."""
        return bool(self._unparsed) and not self.close_when_flushed

    def _end_of_input(self) -> None:
        """The client sends nothing more. It may still read an answer."""
        request = self.receiving
        if request and request.headers_finished:
            request.refuse_truncated()
            self.refuse(request)
        else:
            self.handle_close()

    # --- serving ----------------------------------------------------------------------------------------------------

    def service(self) -> None:
        """Answer the request. Any thread may run this, while the channel is busy."""
        request = self.requests[0]
        answer = Answer(self, request)
        try:
            answer.service()
        except ClientDisconnected:
            answer.close_on_finish = True
        except BaseException as error:  # the thread must go on, whatever the application raised
            logger.exception("request_failed", path=request.path, error=str(error))
            self._answer_crash(request, has_begun=answer.wrote_header)
            answer.close_on_finish = True
        if answer.close_on_finish:
            self.close_when_flushed = True
        request.close()
        self.requests = []

    def _answer_crash(self, request: Request, *, has_begun: bool) -> None:
        if not has_begun:
            try:
                self.write_soon(server_errors.answer(server_errors.problem_of(500), path=request.path))
            except ClientDisconnected:
                return

    def refuse(self, request: Request) -> None:
        """Answer a request that does not reach the application, and close."""
        assert request.problem  # noqa: S101 - the callers have set it
        path = request.path if request.headers_finished else request.path_for_errors
        server_errors.note(request.problem, path=path, method=request.command if request.headers_finished else "")
        self.receiving = None
        self.close_when_flushed = True
        try:
            self.write_soon(server_errors.answer(request.problem, path=path))
        except ClientDisconnected:
            self.will_close = True
        request.close()

    def refuse_queued(self) -> None:
        """Refuse a request that has waited for a thread for too long."""
        [request] = self.requests
        self.requests = []
        self.is_busy = False
        request.refuse(server_errors.OVERLOADED)
        self.refuse(request)

    # --- writing and ending -----------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Send more of what the client has not taken."""
        before = self.total_outbufs_len
        self._flush_exception(self._flush_some_if_lockable)
        if self.total_outbufs_len < before:
            self.deadline = time.monotonic() + READER_SECONDS

    def write_soon(self, data: bytes) -> int:
        if not self.total_outbufs_len:
            self.deadline = time.monotonic() + READER_SECONDS
        written: int = super().write_soon(data)
        return written

    def wait_for_next_request(self, *, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds

    def linger(self, *, seconds: float = LINGER_SECONDS) -> None:
        """Close the sending side, then discard what the client sends, so that it can read the answer.

        The socket cannot be closed at once. If the client is still sending, it would get a reset instead of the answer.
        """
        self.is_lingering = True
        self._unparsed = b""
        self.deadline = time.monotonic() + seconds
        try:
            if self.socket:
                self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.handle_close()

    def _discard(self, received: int) -> None:
        self._left_to_discard -= received
        if received == 0 or self._left_to_discard <= 0:
            self.handle_close()

    def hasten(self, *, now: float, idle_seconds: float) -> None:
        """The process stops: shorten the time for new connections without a request, and for those that have been answered.

        A connection that is idle after a request keeps its whole time (`idle_seconds` after the answer). A proxy that closes
        idle connections earlier than that never sends a request on a connection that this process is closing.
        """
        if self.is_lingering:
            self.deadline = min(self.deadline, now + STOPPING_LINGER_SECONDS)
        elif self.is_idle:
            self.deadline = min(self.deadline, now + idle_seconds)

    @property
    def is_idle(self) -> bool:
        """Whether the client is expected to send a request, or not to."""
        return not (self.is_busy or self.receiving or self.total_outbufs_len or self.is_lingering)

    def expire(self, *, now: float) -> bool:
        """End the connection if its deadline has passed. Return whether that was answered.

        A busy connection has no deadline, unless its client does not read.
        """
        if now < self.deadline or (self.is_busy and not self.total_outbufs_len):
            return False
        if self.receiving and not self.total_outbufs_len:
            self.receiving.refuse_late()
            self.refuse(self.receiving)
            return True
        if not (self.is_idle and self._has_arrived()):  # what has arrived, the loop is about to read
            self.handle_close()
        return False

    def _has_arrived(self) -> bool:
        """Whether the client has sent something that the loop has not read. Closing would lose it."""
        try:
            return bool(self.socket and self.socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def handle_close(self) -> None:
        if self.socket is not None:
            self.server.loop.remove(self)
            super().handle_close()
