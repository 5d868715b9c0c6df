"""An endpoint of somebody else's: a real HTTP server on this machine that notes what it is sent and answers as it is told."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG_SECONDS = 30.0


@dataclass
class Received:
    """One request, as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Answer:
    """`drips` sends the body byte by byte, one every tenth of a second. With `Transfer-Encoding: chunked` among the headers
    the body is sent as given, chunk sizes included. `resets` breaks the connection off after the body.
    """

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    drips: bool = False
    resets: bool = False


HANG, RESET = "hang", "reset"
Behaviour = Callable[[Received], Answer | str]


class Receiver:
    """`behave` decides what each request is answered; `received` is all of them, in the order they came."""

    def __init__(self, behave: Behaviour = lambda request: Answer()) -> None:
        self.behave = behave
        self.received: list[Received] = []
        self._closing = threading.Event()
        self._server = _server(self)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Received(handler.path, headers, body, time.time())
        self.received.append(request)
        _answer(handler, self.behave(request), self._closing)

    def serve(self) -> None:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


def _answer(handler: BaseHTTPRequestHandler, answer: Answer | str, closing: threading.Event) -> None:
    if answer == HANG:
        closing.wait(HANG_SECONDS)
    if isinstance(answer, str):
        _reset(handler)
        return
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if answer.status != 204 and "Transfer-Encoding" not in answer.headers:
        handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    _send_body(handler, answer, closing)


def _send_body(handler: BaseHTTPRequestHandler, answer: Answer, closing: threading.Event) -> None:
    for start in range(len(answer.body) if answer.drips else 0):
        handler.wfile.write(answer.body[start : start + 1])
        handler.wfile.flush()
        closing.wait(0.1)
    handler.wfile.write(b"" if answer.drips else answer.body)
    if answer.resets:
        handler.wfile.flush()
        _reset(handler)


def _reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.close_connection = True
    handler.connection.close()


def _server(receiver: Receiver) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            receiver.take(self)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *args: Any) -> None:
            pass

    return Server(("127.0.0.1", 0), Handler)


@contextmanager
def receiving(behave: Behaviour = lambda request: Answer()) -> Iterator[Receiver]:
    receiver = Receiver(behave)
    receiver.serve()
    try:
        yield receiver
    finally:
        receiver.close()
