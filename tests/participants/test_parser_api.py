from io import BytesIO

import pytest

from tests.client import Api, like, phoenix_refusal, refusal, refused_fields

AWARD = "/points/award"
MEBIBYTE = 1024 * 1024


def award(metadata: str) -> bytes:
    """An award with metadata given as JSON text."""
    return b'{"participant_id": "user_123", "amount": 5, "metadata": %s}' % metadata.encode("utf-8", "surrogatepass")


def nested(levels: int) -> str:
    """Nested arrays in an object, `levels` deep in total. The body around them is one more level."""
    return '{"a":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"}",
        b" ",
        b"nonsense",
        b"{'participant_id': 'user_123'}",
        b'{"participant_id": "user_123",}',
        b'{"participant_id": "user_123"} trailing',
        b'{"participant_id": "line\nbreak"}',
        b'\xef\xbb\xbf{"participant_id": "user_123", "amount": 5}',
        b"[]",
        b'[{"participant_id": "user_123", "amount": 5}]',
        b'"text"',
        b"5",
        b"null",
        b"true",
        b'{"participant_id": "\xff\xfe", "amount": 5}',
        '{"participant_id": "ü", "amount": 5}'.encode("latin-1"),
        '{"participant_id": "user_123", "amount": 5}'.encode("utf-16"),
        award('{"a": "\ud800"}'),
        award('{"a": NaN}'),
        award('{"a": Infinity}'),
        award('{"a": -Infinity}'),
        award('{"a": %s}' % ("9" * 5000)),
        award(nested(32)),
        award(nested(100_000)),
        b"[" * 500_000,
        b'{"a":' * 150_000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_body_that_is_no_json_object_is_400(api, nothing_written, body):
    with nothing_written():
        response = api.post(AWARD, body)

    assert refusal(response)[:2] == (400, "malformed_json")


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        (r'{"a": "\u0000"}', "metadata.a"),
        (r'{"a": ["x", "nul\u0000"]}', "metadata.a.1"),
        (r'{"nul\u0000": 1}', "metadata.?"),
        (r'{"a": "\ud800"}', "metadata.a"),
        (r'{"a": "\udc00\ud800"}', "metadata.a"),
        (r'{"\udfff": 1}', "metadata.?"),
        ('{"a": 1e999}', "metadata.a"),
        ('{"a": [-1e999]}', "metadata.a.0"),
        ('{"a": 9223372036854775808}', "metadata.a"),
        ('{"a": -9223372036854775809}', "metadata.a"),
        ('{"a": {"b": {"c": 99999999999999999999999999}}}', "metadata.a.b.c"),
    ],
)
def test_text_that_a_database_cannot_store_is_422_anywhere(api, nothing_written, metadata, field):
    with nothing_written():
        response = api.post(AWARD, award(metadata))

    assert refused_fields(response) == [field]


@pytest.mark.parametrize("name", ["unknown", "participant_id", "reason", "idempotency_key"])
@pytest.mark.parametrize("text", [r"\u0000", r"\ud800"])
def test_unknown_fields_are_ignored_but_not_unread(api, nothing_written, name, text):
    with nothing_written():
        response = api.post(AWARD, b'{"participant_id": "u", "amount": 5, "%s": "%s"}' % (name.encode(), text.encode()))

    assert refused_fields(response) == [name]


@pytest.mark.parametrize(
    "metadata",
    [
        nested(31),
        r'{"pair": "\ud83c\udf89"}',
        '{"a": 9223372036854775807, "b": -9223372036854775808}',
        '{"a": 1e308, "b": 5e-324, "c": -0.0}',
        '{"control": "\\u0001\\u001f"}',
        '{"": ""}',
    ],
)
def test_valid_json_that_the_database_can_store_is_stored_unchanged(api, metadata):
    assert api.post(AWARD, award(metadata)).status_code == 200
    assert api.get("/participants/user_123/points/transactions").status_code == 200


@pytest.mark.parametrize(("body", "field"), [
    (b'{"participant_id": "user_123", "amount": 1, "amount": 999}', "amount"),
    (b'{"participant_id": "user_123", "amount": 1, "amount": 1}', "amount"),
    (b'{"participant_id": "user_123", "amount": 1, "am\\u006funt": 1}', "amount"),
    (award('{"a": {"b": 1, "b": 1}}'), "metadata.a.b"),
    (award('{"a": [{}, {"b": 1, "c": 2, "b": null}]}'), "metadata.a.1.b"),
    (award('{"a.b": 1, "a.b": 1}'), "metadata.a.b"),
])  # fmt: skip
def test_a_duplicate_key_in_an_object_is_refused(api, nothing_written, body, field):
    with nothing_written():
        response = api.post(AWARD, body)

    assert refused_fields(response) == [field]
    assert "Must be given once" in response.json()["detail"]


def test_a_duplicate_key_is_400_in_the_phoenix_dialect(admin_api):
    body = b'{"name": "Daily", "config": {"event_types": ["a"], "event_types": ["b"], "window": {"period": "daily"}}}'

    response = Api(admin_api.key, base="/v1").post("/tenants/acme/streaks", body)

    assert phoenix_refusal(response)[:2] == (400, "VALIDATION_ERROR")
    assert "event_types must be given once" in response.json()["error"]["message"].replace(": must", " must")


def test_names_that_differ_in_case_are_two_names(api):
    assert api.post(AWARD, award('{"a": 1, "A": 1}')).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8;x=y"]
)
def test_json_goes_by_its_media_type_whatever_its_parameters(api, content_type):
    body = {"participant_id": "user_123", "amount": 5, "reason": "ü"}

    assert api.post(AWARD, body, content_type=content_type).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "*/*",
        "nonsense",
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", AWARD), ("PATCH", "/participants/user_123")])
def test_any_other_content_type_is_415(api, nothing_written, content_type, method, path):
    with nothing_written():
        response = api.send(method, path, {"participant_id": "user_123", "amount": 5}, content_type=content_type)

    assert refusal(response)[:2] == (415, "unsupported_media_type")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;q=0", "nonsense", ""])
def test_the_answer_is_json_whatever_the_client_accepts(api, accept):
    response = api.get("/participants/user_123/points", headers={"Accept": accept})

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


def padded(size: int) -> bytes:
    body = b'{"participant_id": "user_123", "amount": 5, "unknown": ""}'
    return body[:-2] + b"x" * (size - len(body)) + body[-2:]


def test_a_body_of_one_mebibyte_is_read(api):
    assert api.post(AWARD, padded(MEBIBYTE)).status_code == 200


@pytest.mark.parametrize("size", [MEBIBYTE + 1, 3 * MEBIBYTE])
def test_a_body_of_more_is_413(api, nothing_written, size):
    with nothing_written():
        response = api.post(AWARD, padded(size))

    assert refusal(response)[:2] == (413, "payload_too_large")


def chunked(body: bytes) -> dict:
    """What gunicorn provides for a chunked body: a stream that knows its end, and no length."""
    return {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "",
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
    }


@pytest.mark.parametrize("size", [60, 100_000, MEBIBYTE])
def test_a_body_sent_in_chunks_is_read(api, size):
    response = api.post(AWARD, **chunked(padded(size)))

    assert like(response.json(), {"participant_id": "user_123", "new_balance": 5})


@pytest.mark.parametrize(
    ("body", "status"), [(padded(MEBIBYTE + 1), 413), (b"{", 400), (b"", 400), (award('{"a": 1e999}'), 422)]
)
def test_a_body_sent_in_chunks_is_read_as_strictly(api, nothing_written, body, status):
    with nothing_written():
        response = api.post(AWARD, **chunked(body))

    assert refusal(response)[0] == status


class BrokenChunks(BytesIO):
    """A body with malformed chunks. gunicorn notices it while reading, and raises its own error."""

    def read(self, size: int | None = -1) -> bytes:
        raise ValueError("Invalid chunk size: b'zz'")


def test_a_body_that_breaks_off_is_400(api, nothing_written):
    with nothing_written():
        response = api.post(AWARD, **chunked(b"") | {"wsgi.input": BrokenChunks()})

    assert refusal(response)[:2] == (400, "malformed_json")


def test_a_body_is_not_read_before_the_key_is_known(api, nothing_written):
    api.key = "bq_live_unknown"

    with nothing_written():
        response = api.post(AWARD, padded(3 * MEBIBYTE))

    assert refusal(response)[0] == 401


@pytest.mark.parametrize("path", ["/participants/user_123/points", "/participants/user_123/state"])
def test_the_body_of_a_read_is_ignored(api, path):
    assert api.send("GET", path, b"{nonsense", content_type="text/plain").status_code == 200
