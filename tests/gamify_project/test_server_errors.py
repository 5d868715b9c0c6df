"""What gunicorn refuses before Django sees it: real requests to a real server."""

import json
import socket

import pytest

from gamify_project import server_errors


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        (400, "Bad Request", "bad_request"),
        (414, "URI Too Long", "request_uri_too_long"),
        (431, "Request Header Fields Too Large", "request_header_fields_too_large"),
        (500, "Internal Server Error", "internal_error"),
    ],
)
def test_what_the_server_refuses_is_json_with_an_id_and_quotes_nothing(status, reason, code):
    ours, theirs = socket.socketpair()

    with ours, theirs:
        server_errors.write_error(ours, status, reason, "<script>secret</script>")
        answer = theirs.recv(65536).decode()

    head, _, body = answer.partition("\r\n\r\n")
    assert head.splitlines()[0] == f"HTTP/1.1 {status} {reason}"
    assert "X-Request-Id: " in head
    assert f"Content-Length: {len(body)}" in head
    assert json.loads(body) == {"detail": reason, "code": code}
