"""Objects inside a body. The base class of all of them refuses keys that it does not know.

Unknown fields of a body itself are ignored, since clients send more than an endpoint asks for (`participants.api.warnings`
names them). Inside an object, a typo would silently change what a definition means.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from participants.engine import SHOWN_CHARACTERS, unknown_key_problem


class NestedObject(serializers.Serializer[Any]):
    """An object inside a body: a key that none of its fields has is refused, and the nearest known key is named."""

    def to_internal_value(self, data: Any) -> Any:
        check_keys(data, self.fields)
        return super().to_internal_value(data)


def check_keys(data: Any, known: Mapping[str, Any]) -> None:
    """Raises rest_framework's ValidationError for the keys of `data` that are not in `known`."""
    unknown = [key for key in data if key not in known] if isinstance(data, Mapping) else []
    if unknown:
        problems = {key[:SHOWN_CHARACTERS]: [unknown_key_problem(key, known)] for key in unknown}
        raise serializers.ValidationError(problems)
