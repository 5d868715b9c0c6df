"""JSON answers, whatever the `Accept` header says."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import uuid4

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.renderers import JSONRenderer as DRFJSONRenderer
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder


class AlwaysJSON(BaseContentNegotiation):
    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        for parser in parsers:
            if parser.accepts(request.content_type):
                return parser
        return None

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


_MARK = uuid4().hex  # known to this process only, so no text of a client can contain it
_MARKED = re.compile(rf'"{_MARK}([^"]*)"')


class ExactJSONEncoder(JSONEncoder):
    """Encodes each Decimal as a marked string, which `exact_json` turns into a number with all its digits."""

    def default(self, obj: Any) -> Any:
        return f"{_MARK}{obj:f}" if isinstance(obj, Decimal) else super().default(obj)


_ENCODER = ExactJSONEncoder(ensure_ascii=False, separators=(",", ":"))


def exact_json(data: Any) -> str:
    """Return compact JSON in which a Decimal is an exact number. The json module itself can only write floats."""
    text = _ENCODER.encode(data)
    return _MARKED.sub(r"\1", text) if _MARK in text else text


class JSONRenderer(DRFJSONRenderer):
    """Renders compact JSON in UTF-8."""

    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if data is None:
            return b""
        return exact_json(data).encode()
