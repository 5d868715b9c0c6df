"""A listening socket, and waitress's settings."""

import socket
from collections.abc import Callable
from typing import Any

from waitress.adjustments import Adjustments
from waitress.buffers import ReadOnlyFileBasedBuffer
from waitress.server import TcpWSGIServer

from gamify_project.process.web.channels import Channel
from gamify_project.process.web.requests import Environment

BUFFERED_ANSWER_BYTES = 4 * 1024 * 1024
"""A thread that writes more than a client takes waits at this size."""
NEVER_A_FILE_BYTES = 2**30
BODY_IN_MEMORY_BYTES = 1024 * 1024 + 1
Wsgi = Callable[..., Any]


class Server(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """A listening socket."""

    channel_class = Channel

    def __init__(self, application: Wsgi, *, sock: socket.socket, loop: Any) -> None:
        sockinfo = (sock.family, sock.type, sock.proto, sock.getsockname())
        super().__init__(
            application, {}, _start=False, _sock=sock, dispatcher=loop, adj=_adjustments(), sockinfo=sockinfo,
            bind_socket=False,
        )  # fmt: skip
        self.loop = loop
        self.environment = Environment(
            name=self.effective_host,
            port=self.effective_port,
            file_wrapper=ReadOnlyFileBasedBuffer,
        )

    def stop_listening(self) -> None:
        """Close this process's copy of the socket. Other processes may go on listening on theirs."""
        self.socket.close()

    @property
    def is_stopping(self) -> bool:
        return bool(self.loop.is_stopping)

    def pull_trigger(self) -> None:
        """Ask the loop to send what a client has not taken. A thread may be waiting for it."""
        self.loop.look_at_detached()


def _adjustments() -> Adjustments:
    return Adjustments(
        clear_untrusted_proxy_headers=False,  # the application decides whom to trust (TRUSTED_PROXIES)
        expose_tracebacks=False,
        ident=None,
        log_socket_errors=False,
        inbuf_overflow=BODY_IN_MEMORY_BYTES,
        outbuf_overflow=NEVER_A_FILE_BYTES,
        outbuf_high_watermark=BUFFERED_ANSWER_BYTES,
    )
