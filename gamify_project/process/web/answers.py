"""One answer: its status line, its headers and its framing."""

import time
from functools import lru_cache
from typing import Any

from waitress.task import WSGITask
from waitress.utilities import build_http_date

_OWN_HEADERS = frozenset({"content-length", "date", "connection"})


class Answer(WSGITask):  # type: ignore[misc]  # waitress has no types
    """Calls the application, and writes what it answers.

    waitress closes the connection after each answer without Content-Length, and sends headers and body separately. This
    class keeps the connection, and sends both at once.
    """

    wrote_header: bool
    chunked_response: bool
    close_on_finish: bool

    def service(self) -> None:
        self.execute()
        self.finish()

    def get_environment(self) -> dict[str, Any]:
        environment: dict[str, Any] = self.channel.server.environment.of(self.request, self.channel.addr)
        return environment

    def write(self, data: bytes) -> None:
        """Write a part of the body. The first part takes the headers along."""
        if not self.complete:
            raise RuntimeError("start_response was not called before the body was written")
        out = b"" if self.wrote_header else self.build_response_header()
        self.wrote_header = True
        out += self._framed(data) if data and self._sends_body() else b""
        if out:
            self.channel.write_soon(out)

    def finish(self) -> None:
        if not self.wrote_header:
            self.write(b"")
        if self.chunked_response:
            self.channel.write_soon(b"0\r\n\r\n")

    def _sends_body(self) -> bool:
        return bool(self.has_body) and self.request.command != "HEAD"

    def _framed(self, data: bytes) -> bytes:
        if self.chunked_response:
            return b"%x\r\n%b\r\n" % (len(data), data)
        if self.content_length is not None:
            data = data[: self.content_length - self.content_bytes_written]
        self.content_bytes_written += len(data)
        return data

    def build_response_header(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status}"]
        lines += [f"{name}: {value}" for name, value in self.response_headers if self._is_kept(name)]
        if self.content_length is None and self._sends_body():
            self._frame_without_length(lines)
        elif self.content_length is not None and self.has_body:
            lines.append(f"Content-Length: {self.content_length}")
        lines.append(f"Date: {_date(int(time.time()))}")
        self.close_on_finish = self.close_on_finish or self._must_close()
        if self.close_on_finish:
            lines.append("Connection: close")
        elif self.version == "1.0":
            lines.append("Connection: keep-alive")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _is_kept(self, name: str) -> bool:
        """Whether a header of the application is sent. The connection and the framing are the server's."""
        return name.lower() not in _OWN_HEADERS

    def _frame_without_length(self, lines: list[str]) -> None:
        if self.version == "1.0":
            self.close_on_finish = True
        else:
            self.chunked_response = True
            lines.append("Transfer-Encoding: chunked")

    def _must_close(self) -> bool:
        return bool(self.request.connection_close or self.channel.server.is_stopping)

    def set_close_on_finish(self) -> None:
        self.close_on_finish = True


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    date: str = build_http_date(second)
    return date
