"""Errors of the web server itself, and unusual content types: raw bytes on sockets to the running product.

Nothing here knows which web server it is.
"""

import itertools
import json

import pytest

from tests.product import Product
from tests.raw_http import GAMIFY, PHOENIX, Connection, ask, assert_in_shape, head

pytestmark = pytest.mark.timeout(300)

JSON = "Content-Type: application/json"
AWARD = f"{GAMIFY}/points/award"
STREAKS = f"{PHOENIX}/tenants/quickstart/streaks"
CODES_BY_DIALECT = {
    400: ("bad_request", "INVALID_INPUT"),
    414: ("request_uri_too_long", "INVALID_INPUT"),
    417: ("expectation_failed", "INVALID_INPUT"),
    431: ("request_header_fields_too_large", "INVALID_INPUT"),
    501: ("not_implemented", "NOT_IMPLEMENTED"),
}

UNREADABLE = [
    (417, "POST {} HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n"),
    (501, "POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zebra\r\n\r\n"),
    (400, "POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"),
    (400, "POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
    (400, "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
    (400, "POST {} HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
    (400, "GET {} HTTP/1.1\r\nHost: x\r\nNo colon here\r\n\r\n"),
    (400, "GET {} HTTP/1.1\r\nHost: x\r\nSpace Before: y\r\n\r\n"),
    (400, "GET {} HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"),
    (400, "GET {} HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n"),
    (400, "GET {} HTTP/9.9\r\nHost: x\r\n\r\n"),
    (400, "GET {} and more HTTP/1.1\r\nHost: x\r\n\r\n"),
    (400, "GET {}\r\n\r\n"),
    (400, "get {} HTTP/1.1\r\nHost: x\r\n\r\n"),
    (400, "G\xe9T {} HTTP/1.1\r\nHost: x\r\n\r\n"),
    (400, "GET {}?x=\xff HTTP/1.1\r\nHost: x\r\n\r\n"),
    (414, "GET {}?" + "x" * 9_000 + " HTTP/1.1\r\nHost: x\r\n\r\n"),
    (431, "GET {} HTTP/1.1\r\nHost: x\r\nX: " + "x" * 9_000 + "\r\n\r\n"),
    (431, "GET {} HTTP/1.1\r\nHost: x\r\n" + "X: y\r\n" * 200 + "\r\n"),
]
TARGETS = [
    ("/api/v1/gamify/points/award", GAMIFY),
    ("/v1/streaks/acme/users/user_123", PHOENIX),
    ("/v1", PHOENIX),
    ("http://gamify.example/v1/streaks/acme/users/u?x=/api", PHOENIX),
    ("/%761/streaks/acme/users/u", PHOENIX),
    ("/v10/streaks", GAMIFY),
    ("/health", GAMIFY),
]


@pytest.mark.parametrize(("status", "text"), UNREADABLE, ids=lambda value: repr(value)[:60])
def test_errors_of_the_web_server_have_the_format_of_the_dialect(port: int, status: int, text: str) -> None:
    for target, base in TARGETS:
        with Connection(port) as connection:
            connection.send(text.format(target).encode("latin-1"))
            answer = connection.answer()

        gamify_code, phoenix_code = CODES_BY_DIALECT[status]
        assert (answer.status, answer.says_close) == (status, True), target
        assert_in_shape(answer, base)
        code = answer.json()["code"] if base == GAMIFY else answer.json()["error"]["code"]
        assert code == (gamify_code if base == GAMIFY else phoenix_code)


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"nonsense\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n"]
)
def test_data_that_is_no_http_request_is_400_in_the_gamify_format(port: int, sent: bytes) -> None:
    with Connection(port) as connection:
        connection.send(sent)
        answer = connection.answer()

    assert answer.status == 400
    assert_in_shape(answer, GAMIFY)


@pytest.mark.parametrize("sent", [b"GET /v1/streaks HT", b"GET /v1/streaks HTTP/1.1\r\nHost: x\r\nX-Sl"])
def test_headers_that_do_not_arrive_are_408_in_the_format_of_the_dialect(port: int, sent: bytes) -> None:
    with Connection(port) as connection:
        connection.send(sent)
        answer = connection.answer()

    assert (answer.status, answer.says_close) == (408, True)
    assert_in_shape(answer, PHOENIX)


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO", "REMOTE_USER", "Script_Name"])
def test_no_header_of_a_client_says_which_path_it_is(port: int, name: str) -> None:
    answer = ask(port, "GET", "/health", f"{name}: /elsewhere")

    assert (answer.status, answer.json()) == (200, {"status": "ok"})


# --- Content-Type -----------------------------------------------------------------------------------------------------

CHARSETS = ["rot13", "undefined", "base64", "zip", "bz2", "punycode", "hex", "uu", "quopri", "idna", "unicode_escape"]
CHARSETS += [
    "raw_unicode_escape",
    "mbcs",
    "utf-7",
    "utf-16",
    "utf-8-sig",
    "latin-1",
    "nope",
    "",
    '"',
    "\xe9",
    "x" * 4_000,
]
CONTENT_TYPES = [
    *(f"application/json; charset={charset}" for charset in CHARSETS),
    *(
        f"{kind}; charset=rot13"
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
    ),
    *(f"multipart/form-data; boundary*={charset}'en'x" for charset in ("rot13", "undefined", "nope", "utf-8", "")),
    *(f"application/json; charset*={charset}'en'utf-8" for charset in ("rot13", "undefined", "nope", "utf-8", "")),
    "application/json; charset*0=ro; charset*1=t13",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=\xff",
    "multipart/form-data; boundary=" + "x" * 4_000,
    ";",
    ";;;=;=;",
    "/",
    "application/json;" * 100,
    "\xff\xfe",
]
PATHS = ["/health?x=1", "/ready?x=%FF", "/console/login/?next=", "/nowhere?x=1", "/api/schema?format=json"]
PATHS += [
    f"{AWARD}?x=1",
    f"{GAMIFY}/participants/user_123/points?page=1",
    f"{GAMIFY}/nowhere?x=%ff",
    f"{STREAKS}?status=ACTIVE",
]
PATHS += [f"{PHOENIX}/streaks?x=1", f"{PHOENIX}/streaks/quickstart/users/user_123?x=1", f"{PHOENIX}/nowhere?x=1"]
FORM = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
BODIES_OF_TYPES = [b"", b"{}", FORM]


@pytest.mark.parametrize("content_type", CONTENT_TYPES, ids=lambda value: repr(value)[:60])
def test_no_content_type_crashes_any_path_and_errors_keep_the_shape_of_the_path(
    port: int, served: Product, content_type: str
) -> None:
    key = f"X-API-Key: {served.keys()['quickstart_admin']}"
    headers = [key, f"Content-Type: {content_type}"]
    with Connection(port) as connection:
        for path, method, body in itertools.product(PATHS, ["GET", "POST"], BODIES_OF_TYPES):
            connection.send(head(method, path, *headers, f"Content-Length: {len(body)}") + body)
            answer = connection.answer()

            assert answer.status < 500, (method, path, body, answer)
            if answer.status >= 400 and path.startswith((GAMIFY, PHOENIX)):
                assert_in_shape(answer, path)


@pytest.mark.parametrize(
    "disposition",
    [
        "form-data; name*=rot13'en'a",
        "form-data; name*=undefined'en'a",
        "form-data; name*=nope''a",
        "form-data; name*=''",
        ";",
        "",
    ],
)
def test_no_field_of_a_form_crashes_the_console(port: int, disposition: str) -> None:
    form = FORM.replace(b'form-data; name="a"', disposition.encode())
    headers = ["Content-Type: multipart/form-data; boundary=x", f"Content-Length: {len(form)}"]

    assert ask(port, "POST", "/console/login/", *headers, body=form).status in {400, 403}


def test_the_query_is_utf_8_whatever_the_content_type_says(port: int, served: Product) -> None:
    key = f"X-API-Key: {served.keys()['quickstart_admin']}"
    target = f"{GAMIFY}/participants/user_123/points/transactions?page=x%C3%BC"

    answers = [
        ask(port, "GET", target, key, f"{JSON}; charset={charset}") for charset in ("utf-8", "latin-1", "utf-16")
    ]

    assert {answer.status for answer in answers} == {422}
    assert len({json.dumps(answer.json()) for answer in answers}) == 1
