"""Clients that are slow to send, and requests that wait, do not keep others waiting: the running product on SQLite."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.processes import until
from tests.product import Product
from tests.raw_http import GAMIFY, Connection, ask, assert_in_shape, head

pytestmark = pytest.mark.timeout(120)

AWARD = f"{GAMIFY}/points/award"
HALF_HEAD = b"POST /api/v1/gamify/points/award HTTP/1.1\r\nHost: localhost\r\nX-Sl"
HALF_BODY = head("POST", AWARD, "Content-Type: application/json", "Content-Length: 500") + b'{"participant_id"'

FORM = "Content-Type: application/x-www-form-urlencoded"
HALF_FORM = head("POST", "/console/login/", FORM, "Content-Length: 500") + b"username=admin&pass"


@contextmanager
def half_sent(port: int, data: bytes, *, number: int) -> Iterator[list[Connection]]:
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(port)) for _ in range(number)]
        for connection in connections:
            connection.send(data)
        yield connections


def test_200_half_sent_requests_do_not_keep_a_good_request_waiting(port: int, served: Product) -> None:
    body = b'{"participant_id": "patient", "amount": 5}'
    headers = [f"X-API-Key: {served.keys()['quickstart']}", "Content-Type: application/json"]

    with (
        half_sent(port, HALF_HEAD, number=70) as heads,
        half_sent(port, HALF_BODY, number=70),
        half_sent(port, HALF_FORM, number=60),
    ):
        answers = [ask(port, "POST", AWARD, *headers, f"Content-Length: {len(body)}", body=body) for _ in range(3)]
        late = heads[0].answer()

    assert [answer.status for answer in answers] == [200] * 3
    assert (late.status, late.says_close) == (408, True)
    assert_in_shape(late, GAMIFY)


def test_a_client_that_sends_byte_by_byte_is_served(port: int, served: Product) -> None:
    body = b'{"participant_id": "slow", "amount": 5}'
    key = f"X-API-Key: {served.keys()['quickstart']}"
    request = head("POST", AWARD, key, "Content-Type: application/json", f"Content-Length: {len(body)}") + body

    with Connection(port) as connection:
        for repeated in (b"\r\n" + request, request):
            connection.send(repeated, piece=1)
            assert connection.answer().status == 200


def test_the_raw_path_is_provided_by_the_server(port: int, served: Product) -> None:
    key = f"X-API-Key: {served.keys()['quickstart']}"

    answer = ask(port, "GET", f"{GAMIFY}/participants/a%2Fb%20c/points?x=1", key)

    assert (answer.status, answer.json()["participant_id"]) == (200, "a/b c")


def test_a_stream_is_sent_piece_by_piece_and_ends_when_its_client_goes(port: int, served: Product) -> None:
    """A process accepts four streams. When their clients have gone, their threads are free for others."""
    stream = head("GET", f"{GAMIFY}/admin/feed/stream", f"X-API-Key: {served.keys()['quickstart_admin']}")

    with half_sent(port, stream, number=4) as streams:
        assert [connection.interim() for connection in streams] == [200] * 4
        assert [b"retry: 1000" in connection.chunk() for connection in streams] == [True] * 4
        assert ask_status(port, stream) == 503

    until(lambda: award_and_ask(port, served, stream) == 200, what="a stream is free")


def ask_status(port: int, request: bytes) -> int:
    with Connection(port) as connection:
        connection.send(request)
        return connection.interim()


def award_and_ask(port: int, served: Product, stream: bytes) -> int:
    """Cause an event, because a stream notices that its client has gone when it sends."""
    body = b'{"participant_id": "streamed", "amount": 1}'
    key = f"X-API-Key: {served.keys()['quickstart']}"
    ask(port, "POST", AWARD, key, "Content-Type: application/json", f"Content-Length: {len(body)}", body=body)
    time.sleep(0.5)
    return ask_status(port, stream)
