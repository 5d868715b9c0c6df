"""The strict JSON parser of both dialects. It refuses input that the database or another program cannot process."""

from io import BytesIO
from typing import Any

from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from participants.engine import NestedTooDeep, decode_json, json_problems
from participants.errors import DomainError, FieldError

_READ = "_gamify_body"  # an attribute of Django's request: the bytes that have been read


class MalformedJSON(DomainError):
    code = "malformed_json"
    status = 400


class BodyTooLarge(DomainError):
    code = "payload_too_large"
    status = 413

    def __init__(self) -> None:
        super().__init__(f"Request body exceeds {settings.MAX_BODY_BYTES} bytes")


class Parser(BaseParser):
    """Base of parsers: accepts its media type with any parameters, such as `charset`."""

    def accepts(self, content_type: str | None) -> bool:
        return (content_type or "").partition(";")[0].strip().lower() == self.media_type


class StrictJSONParser(Parser):
    """Parses one JSON object in UTF-8, at most 1 MiB and 32 levels deep.

    It refuses NUL characters, lone surrogates, NaN, integers beyond 64 bits, and objects with duplicate keys.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        value = _decode(body_of(stream))
        if not isinstance(value, dict):
            raise MalformedJSON("Request body must be a JSON object")
        if problem := _problem(value):
            raise DomainError(
                f"{problem.field}: {problem.message}", code="validation_error", status=422, errors=(problem,)
            )
        return value


def read_and_rewind_body(request: Request) -> bytes:
    """Return the bytes of the body, and rewind it so that the parser can read it again.

    Raises: BodyTooLarge, MalformedJSON.
    """
    wrapped: Any = request._request  # noqa: SLF001 - DRF has no public name for it
    body = body_of(wrapped)
    rewind_body(wrapped)
    return body


def rewind_body(request: Any) -> None:
    """Let `body_of` read the body of Django's `request` again."""
    if (body := request.__dict__.get(_READ)) is not None:
        request._stream = request.META["wsgi.input"] = BytesIO(body)  # noqa: SLF001 - Django's `request.body` raises on its own size limit
        request._read_started = False  # noqa: SLF001


def body_of(stream: Any) -> bytes:
    """Read the whole body.

    Raises: BodyTooLarge; MalformedJSON if the body is shorter than its Content-Length.
    """
    declared = _declared_length(stream)
    if declared > settings.MAX_BODY_BYTES:
        raise BodyTooLarge
    body = _bytes_of(stream.META["wsgi.input"] if is_chunked(stream) else stream)
    stream.__dict__[_READ] = body
    if len(body) > settings.MAX_BODY_BYTES:
        raise BodyTooLarge
    if len(body) < declared:
        raise MalformedJSON(
            f"Request body ended after {len(body)} of the {declared} bytes that Content-Length announced"
        )
    return body


def _declared_length(stream: Any) -> int:
    declared = stream.META.get("CONTENT_LENGTH") or "0"
    return int(declared) if declared.isdecimal() else 0


def _bytes_of(source: Any) -> bytes:
    try:
        return bytes(source.read(settings.MAX_BODY_BYTES + 1))
    except Exception:  # noqa: BLE001 - each web server raises its own exception for incomplete bodies and malformed chunks
        raise MalformedJSON("Request body could not be read to its end") from None


def is_chunked(request: Any) -> bool:
    """Whether the body is sent in chunks. It then has no Content-Length, and must be read from `wsgi.input`, which knows its end."""
    has_encoding = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    return has_encoding and not request.META.get("CONTENT_LENGTH") and bool(request.META.get("wsgi.input_terminated"))


def _decode(body: bytes) -> Any:
    try:
        return decode_json(body.decode())
    except RecursionError:
        raise MalformedJSON(str(NestedTooDeep())) from None
    except UnicodeDecodeError:
        raise MalformedJSON("Request body is not UTF-8") from None
    except ValueError as error:
        raise MalformedJSON(f"Request body is not valid JSON: {error}") from None


def _problem(value: Any) -> FieldError | None:
    try:
        return next(json_problems(value), None)
    except NestedTooDeep as error:
        raise MalformedJSON(str(error)) from None
