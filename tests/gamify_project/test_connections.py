"""Connections between two requests: raw bytes on sockets to the running product, in both dialects.

Nothing here knows which web server it is.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.product import Product
from tests.raw_http import GAMIFY, MEBIBYTE, PHOENIX, Answer, Connection, NoAnswer, ask, assert_in_shape, chunked, head

pytestmark = pytest.mark.timeout(300)

JSON = "Content-Type: application/json"
AWARD = f"{GAMIFY}/points/award"
ADMIN_BADGES = f"{GAMIFY}/admin/badges"
STREAKS = f"{PHOENIX}/tenants/quickstart/streaks"
LIMITED_ADDRESS = "192.0.2.1"

addresses = (f"198.51.{number // 250}.{number % 250}" for number in itertools.count(1))
"""Failed authentications are counted by address, so each call that should get a 401 has its own address."""


@dataclass(frozen=True)
class Call:
    """A request without its body, and the expected status."""

    status: int
    method: str
    target: str
    headers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.target[:60]} → {self.status}"

    def head(self, *framing: str) -> bytes:
        address = LIMITED_ADDRESS if self.status == 429 else next(addresses)
        return head(self.method, self.target, f"X-Forwarded-For: {address}", *self.headers, *framing)


def unread(served: Product) -> list[Call]:
    """Calls whose body the application does not read: errors of every kind, and others."""
    key, admin = (f"X-API-Key: {served.keys()[name]}" for name in ("quickstart", "quickstart_admin"))
    return [
        Call(401, "POST", AWARD, (JSON,)),
        Call(401, "POST", STREAKS, (JSON,)),
        Call(403, "POST", ADMIN_BADGES, (JSON, key)),
        Call(403, "POST", STREAKS, (JSON, key)),
        Call(404, "POST", f"{GAMIFY}/no/such/route", (JSON, key)),
        Call(404, "PATCH", f"{PHOENIX}/no/such/route", (JSON, admin)),
        Call(404, "POST", "/nowhere", (JSON,)),
        Call(405, "DELETE", AWARD, (JSON, key)),
        Call(405, "DELETE", f"{PHOENIX}/streaks", (JSON, admin)),
        Call(405, "OPTIONS", AWARD, (JSON, key)),
        Call(405, "PROPFIND", AWARD, (JSON, key)),
        Call(415, "POST", AWARD, ("Content-Type: text/plain", key)),
        Call(415, "POST", STREAKS, ("Content-Type: text/plain", admin)),
        Call(429, "POST", AWARD, (JSON,)),
        Call(429, "POST", STREAKS, (JSON,)),
        Call(200, "GET", f"{GAMIFY}/participants/user_123/points", (JSON, key)),
        Call(200, "HEAD", f"{GAMIFY}/participants/user_123/points", (JSON, key)),
        Call(200, "GET", f"{STREAKS}?x=1", (JSON, admin)),
        Call(200, "GET", "/health", (JSON,)),
        Call(200, "HEAD", "/health", (JSON,)),
        Call(403, "POST", "/console/login/", (JSON,)),
    ]


def too_large(served: Product) -> list[Call]:
    """Calls that refuse their body because of its size."""
    key, admin = (f"X-API-Key: {served.keys()[name]}" for name in ("quickstart", "quickstart_admin"))
    return [Call(413, "POST", AWARD, (JSON, key)), Call(413, "POST", STREAKS, (JSON, admin))]


def exhaust_failures(port: int) -> None:
    with Connection(port) as connection:
        status = 0
        while status != 429:
            connection.send(head("GET", STREAKS, f"X-Forwarded-For: {LIMITED_ADDRESS}"))
            status = connection.answer().status


@dataclass(frozen=True)
class Body:
    """The framing of a body, its bytes on the wire, and how many bytes it has without the framing."""

    name: str
    framing: tuple[str, ...]
    sent: bytes
    size: int = 0

    def status_of(self, call: Call) -> int:
        """The server reads the body before the application is called, and refuses a large one itself."""
        is_api = call.target.startswith((f"{GAMIFY}/", f"{PHOENIX}/"))
        return 413 if is_api and self.size > MEBIBYTE else call.status


def with_length(size: int) -> Body:
    return Body(f"{size} bytes", (f"Content-Length: {size}",), b"{" + b" " * (size - 1), size)


def in_chunks(size: int) -> Body:
    sent = chunked(b"{" + b" " * (size - 1))
    return Body(f"{size} bytes in chunks", ("Transfer-Encoding: chunked",), sent, size)


SMALL = [with_length(20), in_chunks(20)]
BODIES = [
    *SMALL,
    *(framed(size) for size in (70_000, MEBIBYTE + 1, 3 * MEBIBYTE) for framed in (with_length, in_chunks)),
]
KNOWN_TO_BE_TOO_LARGE = [with_length(MEBIBYTE + 1), with_length(3 * MEBIBYTE), in_chunks(3 * MEBIBYTE)]
"""Bodies of which the first half tells that they are too large."""
MALFORMED = [
    Body("a bad chunk size", ("Transfer-Encoding: chunked",), b"zz\r\nGET /health HTTP/1.1\r\n\r\n"),
    Body("a chunk without its end", ("Transfer-Encoding: chunked",), b"2\r\n{}GET /health HTTP/1.1\r\n\r\n"),
]


def problem_after(connection: Connection, answer: Answer) -> str:
    """Return problems: none if the answer says `close`, or the next request on the connection is answered correctly."""
    if answer.says_close:
        return ""
    try:
        connection.send(head("GET", "/health"))
        following = connection.answer()
    except NoAnswer as problem:
        return f"says keep-alive, but then: {problem}"
    return "" if (following.status, following.body) == (200, b'{"status": "ok"}') else f"then: {following}"


def trial(port: int, call: Call, body: Body, *, expects: bool, waits: bool) -> str:
    """Return problems of the answer and of what follows. With `waits`, the answer is read before the body is sent."""
    framing = (*body.framing, "Expect: 100-continue") if expects else body.framing
    if call.status == 429:
        exhaust_failures(port)
    with Connection(port) as connection:
        if waits:
            connection.send(call.head(*framing) + body.sent[: len(body.sent) // 2])
            answer = connection.answer(call.method)
            connection.send(body.sent[len(body.sent) // 2 :])
        else:
            connection.send(call.head(*framing))
            connection.send(body.sent, piece=64 * 1024)
            answer = connection.answer(call.method)
        if answer.status != body.status_of(call):
            return f"answered {answer.status} {answer.body[:200]!r}"
        return problem_after(connection, answer)


def problems(port: int, calls: list[Call], bodies: list[Body], **how: bool) -> list[str]:
    found = []
    for call, body in itertools.product(calls, bodies):
        try:
            problem = trial(port, call, body, **how)
        except NoAnswer as error:
            problem = repr(error)
        found += [f"{call}, {body.name}: {problem}"] if problem else []
    return found


@pytest.mark.parametrize("expects", [False, True], ids=["", "expects 100-continue"])
def test_after_an_answer_with_an_unread_body_the_connection_closes_as_announced_or_continues(
    port: int, served: Product, expects: bool
) -> None:
    assert problems(port, unread(served), BODIES, expects=expects, waits=False) == []


@pytest.mark.parametrize("expects", [False, True], ids=["", "expects 100-continue"])
def test_a_client_that_waits_for_the_answer_in_a_body_that_is_too_large_gets_the_413(
    port: int, served: Product, expects: bool
) -> None:
    calls = [call for call in unread(served) if call.target.startswith((f"{GAMIFY}/", f"{PHOENIX}/"))]

    assert problems(port, calls, KNOWN_TO_BE_TOO_LARGE, expects=expects, waits=True) == []


@pytest.mark.parametrize("expects", [False, True], ids=["", "expects 100-continue"])
def test_after_a_413_the_connection_closes_as_announced(port: int, served: Product, expects: bool) -> None:
    assert problems(port, too_large(served), BODIES[-4:], expects=expects, waits=False) == []


def test_after_a_body_that_is_malformed_the_connection_closes_as_announced(port: int, served: Product) -> None:
    reads = [Call(400, "POST", call.target, call.headers) for call in too_large(served)]

    assert problems(port, reads, MALFORMED, expects=False, waits=False) == []


def test_a_malformed_body_is_refused_before_the_key_is_checked(port: int, served: Product) -> None:
    """The server reads bodies before it calls the application, so it also finds this error first."""
    refused = [Call(400, call.method, call.target, call.headers) for call in unread(served)[:4]]

    assert problems(port, refused, MALFORMED, expects=False, waits=False) == []


@pytest.mark.parametrize("body", SMALL, ids=lambda body: body.name)
def test_a_small_body_that_is_not_read_does_not_cost_the_connection(port: int, served: Product, body: Body) -> None:
    for call in unread(served):
        with Connection(port) as connection:
            connection.send(call.head(*body.framing) + body.sent)

            assert not connection.answer(call.method).says_close, str(call)


def test_requests_that_are_sent_together_are_answered_in_order(port: int, served: Product) -> None:
    refused = unread(served)[0]

    with Connection(port) as connection:
        one = refused.head("Content-Length: 2") + b"{}"
        connection.send(one + one + head("GET", "/health"))

        assert [connection.answer().status for _ in range(3)] == [401, 401, 200]


# --- too large ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("framed", [with_length, in_chunks])
@pytest.mark.parametrize("pause", [0, 0.005])
def test_a_client_that_reads_only_after_sending_everything_gets_the_413(
    port: int, served: Product, framed: Callable[[int], Body], pause: float
) -> None:
    body = framed(5 * MEBIBYTE)

    for call in too_large(served) * 2:
        with Connection(port) as connection:
            connection.send(call.head(*body.framing))
            connection.send(body.sent, piece=32 * 1024, pause=pause)
            answer = connection.answer()

        assert answer.status == 413
        assert answer.says_close
        code = answer.json()["code"] if call.target == AWARD else answer.json()["error"]["code"]
        assert code.lower() == "payload_too_large"


def test_the_discarding_of_a_body_has_a_limit(port: int, served: Product) -> None:
    """A client that sends 200 MiB is cut off. The answer may be lost, but the server did not read everything."""
    call = too_large(served)[0]

    with Connection(port) as connection:
        connection.send(call.head(f"Content-Length: {200 * MEBIBYTE}"))
        sent = connection.send_until_refused(b" " * MEBIBYTE, times=200)

    assert 5 * MEBIBYTE < sent < 200 * MEBIBYTE


def test_a_client_that_sends_too_much_does_not_delay_others(port: int, served: Product) -> None:
    call = too_large(served)[0]
    senders = [Connection(port) for _ in range(20)]
    for sender in senders:
        sender.send(call.head(f"Content-Length: {3 * MEBIBYTE}") + b" ")

    assert [sender.answer().status for sender in senders] == [413] * 20
    assert ask(port, "GET", "/health").status == 200
    for sender in senders:
        sender.close()


# --- the length of a body -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("framing", "sent"),
    [
        ("Content-Length: 500", b'{"participant_id": "cut", "amount": 5}'),
        ("Transfer-Encoding: chunked", chunked(b'{"participant_id": "cut", "amount": 5}')[:-5]),
    ],
)
def test_a_truncated_body_is_refused_even_if_it_is_valid_json(
    port: int, served: Product, framing: str, sent: bytes
) -> None:
    call = too_large(served)[0]

    with Connection(port) as connection:
        connection.send(call.head(framing) + sent)
        connection.end_sending()
        answer = connection.answer()

    assert (answer.status, answer.json()["code"]) == (400, "malformed_json")


def test_data_after_a_complete_body_is_the_next_request(port: int, served: Product) -> None:
    body = b'{"participant_id": "user_123", "amount": 5}'
    call = too_large(served)[0]

    with Connection(port) as connection:
        connection.send(call.head(f"Content-Length: {len(body)}") + body + b"}}}\r\n\r\n")
        first, second = connection.answer(), connection.answer()

    assert first.status == 200
    assert (second.status, second.says_close) == (400, True)


@pytest.mark.parametrize("length", ["-1", "+5", "1_0", "0x10", "five", "5, 5", "9" * 30, "1.0", "", "²"])
def test_an_invalid_content_length_is_refused_in_the_format_of_the_dialect(
    port: int, served: Product, length: str
) -> None:
    for call in too_large(served):
        with Connection(port) as connection:
            connection.send(call.head(f"Content-Length: {length}") + b"{}")
            answer = connection.answer()

        assert answer.status in {400, 413}
        assert answer.says_close
        assert_in_shape(answer, call.target)


def test_the_body_is_asked_for_as_soon_as_the_headers_have_arrived(port: int, served: Product) -> None:
    """Also if the request will be refused: no thread waits for bodies, so the key is checked after the body has arrived."""
    framing = ("Content-Length: 2", "Expect: 100-continue")

    for call, status in [(too_large(served)[0], 422), (unread(served)[0], 401)]:
        with Connection(port) as connection:
            connection.send(call.head(*framing))
            assert connection.interim() == 100
            connection.send(b"{}")
            answer = connection.answer()

            assert (answer.status, answer.interim, answer.says_close) == (status, 0, False)


def test_a_body_that_is_too_large_is_not_asked_for(port: int, served: Product) -> None:
    call = too_large(served)[0]

    with Connection(port) as connection:
        connection.send(call.head(f"Content-Length: {3 * MEBIBYTE}", "Expect: 100-continue"))
        answer = connection.answer()

    assert (answer.status, answer.interim, answer.says_close) == (413, 0, True)
