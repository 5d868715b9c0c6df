"""JSON columns that return numbers as they were stored."""

import json
from typing import Any

from django.db import models

from participants.engine import MAX_BIGINT


class Decoder(json.JSONDecoder):
    """Decodes integers beyond 64 bits as floats. PostgreSQL returns 1e308 as an integer of 309 digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(parse_int=_number, **kwargs)


def _number(digits: str) -> int | float:
    number = int(digits) if len(digits) <= MAX_DIGITS else None
    return number if number is not None and abs(number) <= MAX_BIGINT + 1 else float(digits)


MAX_DIGITS = len(str(MAX_BIGINT)) + 1


class JSONField(models.JSONField):
    """A JSONField that decodes numbers beyond 64 bits as floats. They were stored as floats: larger integers are refused."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"decoder": Decoder, **kwargs})
