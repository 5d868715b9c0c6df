"""The format of the web server's own errors. `test_unreadable_requests` sends real requests to a real server."""

import json

import pytest

from gamify_project.process import server_errors


@pytest.mark.parametrize(
    ("status", "phrase", "code"),
    [
        (400, "Bad Request", "bad_request"),
        (408, "Request Timeout", "request_timeout"),
        (500, "Internal Server Error", "internal_error"),
        (501, "Not Implemented", "not_implemented"),
    ],
)
def test_errors_of_the_web_server_are_json_with_an_id(status, phrase, code):
    answer = server_errors.answer(server_errors.problem_of(status), path="/api/v1/gamify").decode()

    head, _, body = answer.partition("\r\n\r\n")
    assert head.splitlines()[0] == f"HTTP/1.1 {status} {phrase}"
    assert "X-Request-Id: " in head
    assert f"Content-Length: {len(body)}" in head
    assert json.loads(body)["code"] == code


@pytest.mark.parametrize(
    ("head", "path"),
    [
        (b"GET /v1/streaks?a=/b HTTP/1.1\r\nHost: x\r\n\r\n", "/v1/streaks"),
        (b"\r\nGET /v1/streaks HTTP/1.1\r\n", "/v1/streaks"),
        (b"GET /v1/str", "/v1/str"),
        (b"GET http://host/v1/streaks HTTP/1.1\r\n", "/v1/streaks"),
        (b"GET /%76%31/a%20b HTTP/1.1\r\n", "/v1/a b"),
        (b"GET /\xff HTTP/1.1\r\n", "/ÿ"),
        (b"GET", "/"),
        (b"", "/"),
        (b"\x16\x03\x01", "/"),
    ],
)
def test_the_path_is_read_from_incomplete_headers(head, path):
    assert server_errors.path_of(head) == path
