"""Base class of objects inside a request body: it refuses unknown keys.

Unknown fields of the body itself are ignored, because clients may send more than an endpoint needs (`participants.api.warnings`
reports them). Inside an object, an ignored typo would silently change the meaning of a definition.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from participants.engine import SHOWN_CHARACTERS, unknown_key_problem


class NestedObject(serializers.Serializer[Any]):
    """An object inside a body. An unknown key is an error, which suggests the most similar known key."""

    def to_internal_value(self, data: Any) -> Any:
        check_keys(data, self.fields)
        return super().to_internal_value(data)


def check_keys(data: Any, known: Mapping[str, Any]) -> None:
    """Check that all keys of `data` are in `known`.

    Raises: rest_framework's ValidationError with one message for each unknown key.
    """
    unknown = [key for key in data if key not in known] if isinstance(data, Mapping) else []
    if unknown:
        problems = {key[:SHOWN_CHARACTERS]: [unknown_key_problem(key, known)] for key in unknown}
        raise serializers.ValidationError(problems)
