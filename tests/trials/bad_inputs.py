"""150 bad inputs, made by hand: bodies, values of fields, queries, ids in paths, and headers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.gamify_project.test_schema import Operation

BODIES: tuple[bytes, ...] = (
    b"", b" ", b"\n", b"null", b"true", b"0", b'""', b"[]", b"{", b"}", b"[", b"{}{}", b"{,}", b'{"a"}', b'{"a":}',
    b'{"a":1,}', b"{'a':1}", b'{"a":1 "b":2}', b'{"participant_id":"a","participant_id":"b"}', b'{"amount":NaN}',
    b'{"amount":Infinity}', b'{"amount":-Infinity}', b'{"amount":01}', b'{"amount":1.}', b'{"amount":1e999}',
    b'{"amount":' + b"9" * 5_000 + b"}", b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", b'{"a":"\\ud800"}',
    b'{"a":"\xff\xfe"}', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"participant_id=a&amount=5", b"<xml/>",
    b'{"a":"' + b"x" * 20_000 + b'"}', b'{"__proto__":{"a":1}}', b'{"":1}', b'{"\\u0000":1}', b"\x00", b'"\\u0000"',
    b'[{"participant_id":"a"}]',
)  # fmt: skip

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**40, "", " ",
    "0", "1", "-1", "1.5", "1e3", "NaN", "null", "true", "a", "a" * 256, "a" * 70_000, "é" * 255, "\u0000", "a\u0000b",
    "\n", "\t", "\u200b", "\u202e", "\ufeff", "\ud800", "\U0001f600", "e\u0301", "../../etc/passwd", "a/b", "%2F", "%00",
    "'; DROP TABLE x; --", "{{7*7}}", "<script>alert(1)</script>", "${jndi:ldap://x}", "http://127.0.0.1/", "file:///x",
    "https://user:pw@example.com", "2026-02-30T00:00:00Z", "2026-02-14", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z",
    "2026-02-14T10:00:60Z", "Mars/Olympus", "00000000-0000-0000-0000-000000000000", "*", "points.*", [], {}, [None], [[]],
    [{}], {"a": None}, {"a": "\u0000"}, {"a": "\ud800"}, {"a": {"b": {"c": []}}}, [1] * 2_000, {"x" * 300: 1}, ["a", "a"],
)  # fmt: skip

QUERIES: tuple[str, ...] = (
    "page=0", "page=-1", "page=x", "page=99999999999999999999", "page_size=0", "page_size=1001", "limit=-1", "limit=x",
    "from=x&to=y", "from=2026-02-14T10:00:00Z&to=2026-02-13T10:00:00Z", "is_active=maybe", "status=unknown", "after=%00",
    "include=unknown", "unknown=1", "=", "&&&", "a" * 2_000, "x=%FF%FE", "participant_id=%00", "event_type=%F0%9F%98%80",
)  # fmt: skip

IDS: tuple[str, ...] = (
    "x", "0", "-1", "null", "00000000-0000-0000-0000-000000000000", "not-a-uuid", "{}", "a" * 300, "é", "\u0000", "\u202e",
    " ", "a b", "../x", "%", "a\nb",
)  # fmt: skip

HEADERS: tuple[Mapping[str, str], ...] = (
    {"Idempotency-Key": ""}, {"Idempotency-Key": "k" * 300}, {"Idempotency-Key": "a\tb"}, {"X-Request-Id": "x" * 500},
)  # fmt: skip


@dataclass(frozen=True)
class BadRequest:
    """Method, path and body as `Api.send` takes them, with headers."""

    arguments: tuple[Any, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True)
class BadInput:
    """One bad input: what is wrong with the request, in a way that fits every operation."""

    kind: str
    value: Any

    def request_to(self, operation: Operation, number: int) -> BadRequest:
        """The request of the operation's example with this one thing wrong. `number` chooses the field that gets a bad value."""
        path, body = operation.example_path + operation.query, example_of(operation)
        if self.kind == "body":
            return BadRequest((operation.method, path, self.value))
        if self.kind == "value":
            return BadRequest((operation.method, path, encoded(with_value(body, self.value, number))))
        if self.kind == "query":
            return BadRequest((operation.method, f"{operation.example_path}?{self.value}", encoded(body)))
        if self.kind == "id":
            return BadRequest((operation.method, with_id(operation, self.value, number), encoded(body)))
        return BadRequest((operation.method, path, encoded(body)), headers=self.value)


def example_of(operation: Operation) -> Any:
    """The body of the operation's first example; an object if it takes none."""
    examples = (operation.body or {}).get("examples", {})
    return next((each["value"] for each in examples.values()), {})


def with_value(body: Any, value: Any, number: int) -> Any:
    if not isinstance(body, dict) or not body:
        return {"unknown": value}
    name = list(body)[number % len(body)]
    return {**body, name: value}


def with_id(operation: Operation, value: str, number: int) -> str:
    """The path with a bad value in place of one of its ids; without ids, the bad value as a further segment is no endpoint, so a query."""
    example, template = operation.example_path.split("/"), operation.path.split("/")
    places = [place for place, part in enumerate(template) if part.startswith("{")]
    if not places:
        return f"{operation.example_path}?id={quote(value, safe='')}"
    example[places[number % len(places)]] = quote(value, safe="")
    return "/".join(example) + operation.query


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


BAD_INPUTS: tuple[BadInput, ...] = tuple(
    BadInput(kind, value)
    for kind, values in {"body": BODIES, "value": VALUES, "query": QUERIES, "id": IDS, "headers": HEADERS}.items()
    for value in values
)
