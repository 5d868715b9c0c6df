"""Parses request lines and headers strictly (RFC 9112). What is ambiguous is refused."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

MAX_LINE_BYTES = 8190  # a percent-encoded participant id of 255 characters can take 3,060 bytes
MAX_HEADERS = 100
MAX_HEAD_BYTES = MAX_LINE_BYTES + MAX_HEADERS * (MAX_LINE_BYTES + 2) + 4
MAX_LENGTH_DIGITS = 18

_REQUEST_LINE = re.compile(r"([!$%&'*+\-.^_`|~0-9A-Z]{3,20}) ([\x21-\x7e]+) HTTP/1\.([0-9])")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n")
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_SINGLE = frozenset({"HOST", "CONTENT_TYPE", "CONTENT_LENGTH"})
_OTHER_CODINGS = frozenset({"identity", "compress", "deflate", "gzip"})


class Unparsable(Exception):
    """The head is not one that can be served. `status` is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(slots=True)
class Head:
    """A request line and headers. Header names are as in CGI, without `HTTP_`; repeated headers are joined by commas."""

    method: str
    target: str
    path: str
    query: str
    version: str
    headers: dict[str, str]
    length: int = 0
    is_chunked: bool = False
    expects_continue: bool = False


def check_beginning(data: bytes | bytearray, *, since: int) -> None:
    """Refuse a head that has not arrived completely, if more of it cannot make it valid. Raises: Unparsable.

    `since` is how many bytes were checked before.
    """
    if len(data) > MAX_LINE_BYTES + 2 and data.find(b"\r\n", 0, MAX_LINE_BYTES + 2) < 0:
        raise Unparsable(414)
    if len(data) > MAX_HEAD_BYTES:
        raise Unparsable(431)
    if _BARE_LINE_FEED.search(data, max(0, since - 1)):
        raise Unparsable(400)


def parse(data: bytes | bytearray) -> Head:
    """Parse a complete head, without the empty line at its end. Raises: Unparsable."""
    text = data.decode("latin-1")
    first, *lines = text.split("\r\n")
    if len(first) > MAX_LINE_BYTES:
        raise Unparsable(414)
    if len(lines) > MAX_HEADERS:
        raise Unparsable(431)
    line = _REQUEST_LINE.fullmatch(first)
    if line is None or _FORBIDDEN.search(text):
        raise Unparsable(400)
    method, target, minor = line.groups()
    path, query = _split(method, target)
    head = Head(method, target, path, query, "1.0" if minor == "0" else "1.1", _headers(lines))
    _frame(head)
    return head


def _split(method: str, target: str) -> tuple[str, str]:
    """Return the encoded path and the query of a request target."""
    if target.startswith("/"):
        path, _, query = target.partition("#")[0].partition("?")
        return path, query
    if not ("://" in target or (target == "*" and method == "OPTIONS") or (target != "*" and method == "CONNECT")):
        raise Unparsable(400)
    try:
        parts = urlsplit(target)
    except ValueError:
        raise Unparsable(400) from None
    return parts.path, parts.query


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        if len(line) + 2 > MAX_LINE_BYTES:
            raise Unparsable(431)
        name, colon, value = line.partition(":")
        key = _key(name) if colon else None
        if key is None or (key in headers and key in _SINGLE):
            raise Unparsable(400)
        value = value.strip(" \t")
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    headers.pop("", None)
    return headers


@lru_cache(maxsize=512)
def _key(name: str) -> str | None:
    """Return the CGI name of a header, "" if it is ignored, None if it is invalid.

    A name with an underscore would look like the same name with a hyphen, which a proxy in front may have set.
    """
    if not _NAME.fullmatch(name):
        return None
    return "" if "_" in name else name.upper().replace("-", "_")


def _frame(head: Head) -> None:
    """Find out how the body is framed, and whether the client waits before it sends it."""
    headers = head.headers
    if (codings := headers.pop("TRANSFER_ENCODING", None)) is not None:
        _check_codings(codings)
        if "CONTENT_LENGTH" in headers or head.version == "1.0":
            raise Unparsable(400)
        head.is_chunked = True
    elif "CONTENT_LENGTH" in headers:
        head.length = _length(headers["CONTENT_LENGTH"])
    if headers.get("EXPECT", "100-continue").lower() != "100-continue":
        raise Unparsable(417)
    head.expects_continue = "EXPECT" in headers and head.version != "1.0"


def _length(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_LENGTH_DIGITS):
        raise Unparsable(400)
    return int(text)


def _check_codings(codings: str) -> None:
    names = [name.strip(" \t").lower() for name in codings.split(",")]
    if set(names) - _OTHER_CODINGS - {"chunked"}:
        raise Unparsable(501)
    if names != ["chunked"]:
        raise Unparsable(400)
