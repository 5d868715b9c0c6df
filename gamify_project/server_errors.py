"""What gunicorn itself refuses, before there is a request to route: as JSON with an id, like every other refusal.

gunicorn writes an HTML page there, and has no setting for it; the one function that writes the page is replaced. The path is
not known at that point, so the shape is that of the Gamify dialect.
"""

import json
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from gunicorn import util


def write_error(sock: Any, status_int: int, reason: str, mesg: str) -> None:
    """Answer a request that could not be read; `mesg` can quote what was sent, and is for the log only."""
    status = HTTPStatus(status_int)
    body = json.dumps({"detail": reason, "code": _code(status)}).encode()
    head = [
        f"HTTP/1.1 {status_int} {reason}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {uuid4().hex}",
    ]
    util.write_nonblock(sock, "\r\n".join([*head, "", ""]).encode("latin-1") + body)


def _code(status: HTTPStatus) -> str:
    return "internal_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else status.name.lower()


def install() -> None:
    util.write_error = write_error
