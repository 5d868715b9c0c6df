"""JSON with exact numbers, for answers and exports."""

import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

from rest_framework.utils.encoders import JSONEncoder

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
