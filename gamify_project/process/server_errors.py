"""Errors that the web server answers itself, because the request cannot be parsed and never reaches Django.

gunicorn would write an HTML page and has no setting for it, so `install` replaces its function. The answer has the format of the
dialect of the path, like every other error.
"""

import json
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from gunicorn import util

from gamify_project import dialects
from gamify_project.dialects import Problem
from participants.api.routes import raw_path

request_head: ContextVar[bytes | bytearray] = ContextVar("request_head", default=b"")
"""The first bytes of the request that this thread reads. They contain the path, even if the rest is invalid."""

_PROBLEMS = {
    400: (
        "bad_request",
        "The request is not valid HTTP/1.1: check its request line, its headers and how its body is framed",
    ),
    403: ("forbidden", "This connection is not allowed here"),
    408: ("request_timeout", "The request line and the headers did not arrive in time; send them at once"),
    414: ("request_uri_too_long", "The request line is too long: at most 8190 bytes"),
    417: ("expectation_failed", "Expect: the only expectation that can be met is 100-continue"),
    431: ("request_header_fields_too_large", "The headers are too large: at most 100, each of at most 8190 bytes"),
    501: ("not_implemented", "Transfer-Encoding: the only coding that can be read is chunked"),
}
_CRASHED = ("internal_error", "Unexpected error; it was logged")


def write_error(sock: Any, status_int: int, reason: str, mesg: str) -> None:
    """Answer a request that could not be parsed. `mesg` may quote the request, so it is not part of the answer."""
    path = _path_of(bytes(request_head.get()))
    body = json.dumps(dialects.render(Problem(status_int, *_PROBLEMS.get(status_int, _CRASHED)), path=path)).encode()
    head = [
        f"HTTP/1.1 {status_int} {HTTPStatus(status_int).phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {uuid4().hex}",
    ]
    util.write_nonblock(sock, "\r\n".join([*head, "", ""]).encode("latin-1") + body)


def _path_of(head: bytes) -> str:
    """Return the decoded path of a request line, which may be incomplete; `/` if there is none."""
    _, _, rest = head.lstrip(b"\r\n").partition(b"\r\n")[0].partition(b" ")
    target = rest.partition(b" ")[0].decode("latin-1")
    return unquote(raw_path({"RAW_URI": target}) or "")


def install() -> None:
    """Replace gunicorn's function that writes error pages."""
    util.write_error = write_error
