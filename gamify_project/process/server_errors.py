"""Errors that the web server answers itself, because the request cannot be parsed or is too large, so that it never reaches Django.

The answer has the format of the dialect of the path, like every other error.
"""

import json
from http import HTTPStatus
from urllib.parse import unquote
from uuid import uuid4

from gamify_project import dialects
from gamify_project.dialects import Problem
from gamify_project.observing import NO_ROUTE, note_refusal, observe
from participants.api.routes import raw_path

_PROBLEMS = {
    400: (
        "bad_request",
        "The request is not valid HTTP/1.1: check its request line, its headers and how its body is framed",
    ),
    408: (
        "request_timeout",
        "The request did not arrive in time: send its headers within 10 s, then its body within 30 s",
    ),
    414: ("request_uri_too_long", "The request line is too long: at most 8190 bytes"),
    417: ("expectation_failed", "Expect: the only expectation that can be met is 100-continue"),
    431: ("request_header_fields_too_large", "The headers are too large: at most 100, each of at most 8190 bytes"),
    501: ("not_implemented", "Transfer-Encoding: the only coding that can be read is chunked"),
}
_CRASHED = ("internal_error", "Unexpected error; it was logged")

OVERLOADED = Problem(
    503, "service_unavailable", "All threads of this process are waiting; try again", headers={"Retry-After": "1"}
)
BROKEN_BODY = Problem(400, "malformed_json", "Request body could not be read to its end")


def problem_of(status: int) -> Problem:
    """Return the problem with this status. Its text does not quote the request."""
    return Problem(status, *_PROBLEMS.get(status, _CRASHED))


def malformed(message: str) -> Problem:
    return Problem(400, "malformed_json", message)


def too_large(limit: int) -> Problem:
    """Return the problem of a body with more than `limit` bytes."""
    return Problem(413, "payload_too_large", f"Request body exceeds {limit} bytes")


def answer(problem: Problem, *, path: str) -> bytes:
    """Return a whole HTTP answer in the dialect of `path`, after which the connection is closed."""
    body = json.dumps(dialects.render(problem, path=path)).encode()
    head = [
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {uuid4().hex}",
        *(f"{name}: {value}" for name, value in problem.headers.items()),
    ]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def note(problem: Problem, *, path: str, method: str) -> None:
    """Count and log a request that never reaches Django. It has no route and no duration."""
    note_refusal(problem.code, path=path)
    observe(method=method, path=path, route=NO_ROUTE, status=problem.status, seconds=0.0, request_id="")


def path_of(head: bytes) -> str:
    """Return the decoded path of a request line, which may be incomplete; `/` if there is none."""
    _, _, rest = head.lstrip(b"\r\n").partition(b"\r\n")[0].partition(b" ")
    target = rest.partition(b" ")[0].decode("latin-1")
    return unquote(raw_path({"REQUEST_URI": target}) or "")
