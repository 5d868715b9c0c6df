"""The strict parser of both dialects: what the database or another program could choke on is refused at the door."""

import json
import math
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from participants.engine import MAX_BIGINT
from participants.errors import DomainError, FieldError

MAX_DEPTH = 32
MIN_BIGINT = -MAX_BIGINT - 1


class MalformedJSON(DomainError):
    code = "malformed_json"
    status = 400


class BodyTooLarge(DomainError):
    code = "payload_too_large"
    status = 413

    def __init__(self) -> None:
        super().__init__(f"Request body exceeds {settings.MAX_BODY_BYTES} bytes")


class StrictJSONParser(BaseParser):
    """JSON objects in UTF-8, at most 1 MiB and 32 levels; no NUL, lone surrogates, NaN, or integers beyond 64 bit."""

    media_type = "application/json"

    def accepts(self, content_type: str | None) -> bool:
        return (content_type or "").partition(";")[0].strip().lower() == self.media_type

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        value = _decoded(_read(stream))
        if not isinstance(value, dict):
            raise MalformedJSON("Request body must be a JSON object")
        if problem := next(problems(value), None):
            raise DomainError(
                f"{problem.field}: {problem.message}", code="validation_error", status=422, errors=(problem,)
            )
        return value


def sent_body(request: Request) -> bytes:
    """The body's bytes as sent, which the parser can still read. Raises BodyTooLarge or MalformedJSON."""
    sent: Any = request._request  # noqa: SLF001 - DRF has no other name for it
    body = _read(sent)
    sent._stream = sent.META["wsgi.input"] = BytesIO(body)  # noqa: SLF001 - Django's own `body` has a limit that crashes
    sent._read_started = False  # noqa: SLF001
    return body


def _read(stream: Any) -> bytes:
    declared = stream.META.get("CONTENT_LENGTH") or "0"
    if declared.isdigit() and int(declared) > settings.MAX_BODY_BYTES:
        raise BodyTooLarge
    body = _bytes_of(_source(stream))
    if len(body) > settings.MAX_BODY_BYTES:
        raise BodyTooLarge
    return body


def _bytes_of(source: Any) -> bytes:
    try:
        return bytes(source.read(settings.MAX_BODY_BYTES + 1))
    except Exception:  # noqa: BLE001 - each server has its own for a body that breaks off, or chunks that are none
        raise MalformedJSON("Request body could not be read to its end") from None


def _source(stream: Any) -> Any:
    return stream.META["wsgi.input"] if is_chunked(stream) else stream


def is_chunked(request: Any) -> bool:
    """A body sent in chunks declares no length: Django reads nothing of it, but the server knows where it ends."""
    has_encoding = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    return has_encoding and not request.META.get("CONTENT_LENGTH") and bool(request.META.get("wsgi.input_terminated"))


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise MalformedJSON(f"JSON is nested deeper than {MAX_DEPTH} levels") from None
    except UnicodeDecodeError:
        raise MalformedJSON("Request body is not UTF-8") from None
    except ValueError as error:
        raise MalformedJSON(f"Request body is not valid JSON: {error}") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def problems(value: Any) -> Iterator[FieldError]:
    """What is wrong with decoded JSON, by dotted path; without recursion, so that depth costs nothing."""
    pending: list[tuple[str, Any, int]] = [("", value, 1)]
    while pending:
        path, item, depth = pending.pop()
        if isinstance(item, dict | list):
            if depth > MAX_DEPTH:
                raise MalformedJSON(f"JSON is nested deeper than {MAX_DEPTH} levels")
            yield from (FieldError(_join(path, "?"), problem) for problem in _key_problems(item))
            pending += [(_join(path, str(key)), child, depth + 1) for key, child in _children(item)]
        elif problem := _scalar_problem(item):
            yield FieldError(path, problem)


def _children(item: Any) -> Any:
    return reversed(item.items()) if isinstance(item, dict) else reversed(list(enumerate(item)))


def _key_problems(item: Any) -> Iterator[str]:
    if isinstance(item, dict):
        yield from (problem for problem in map(_text_problem, item) if problem)


def _scalar_problem(item: Any) -> str | None:
    if isinstance(item, str):
        return _text_problem(item)
    if isinstance(item, float) and not math.isfinite(item):
        return "Must be a finite number."
    if isinstance(item, int) and not MIN_BIGINT <= item <= MAX_BIGINT:
        return "Must fit into 64 bits."
    return None


def _text_problem(text: str) -> str | None:
    if "\x00" in text:
        return "Must not contain NUL characters."
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "Must not contain lone surrogates."
    return None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
