"""Serializer fields for what the spec has everywhere."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from participants.engine import (
    MAX_EXTERNAL_ID,
    MAX_KEY,
    control_character_problem,
    external_id_problem,
    object_problem,
)

MAX_PAGE = 1_000_000_000


class ParticipantIdField(serializers.CharField):
    """The client's own id: 1–255 characters, kept as sent."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_length", 1)
        kwargs.setdefault("max_length", MAX_EXTERNAL_ID)
        kwargs.setdefault("help_text", "Your participant identifier, 1 to 255 printable characters, case-sensitive.")
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")  # a number would become text: 1 and 1.0 are one number, "1" and "1.0" two people
        return super().to_internal_value(data)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and (problem := external_id_problem(value)):
            raise serializers.ValidationError(problem)
        return value


class LineField(serializers.CharField):
    """One line of text for people."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and (problem := control_character_problem(value)):
            raise serializers.ValidationError(problem)
        return value


@extend_schema_field(OpenApiTypes.OBJECT)
class ObjectField(serializers.Field[dict[str, Any], dict[str, Any], dict[str, Any], Any]):
    """A JSON object of the caller's own making, at most 16 KiB."""

    default_error_messages = {"not_an_object": "Must be a JSON object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        if problem := object_problem(data):
            raise serializers.ValidationError(problem)
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


class BodyKeyField(serializers.CharField):
    """An idempotency key in the body."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "The same key and request again answers as the first time did.")
        super().__init__(
            min_length=1, max_length=MAX_KEY, trim_whitespace=False, required=False, allow_null=True, **kwargs
        )


class PageQuery(serializers.Serializer[Any]):
    """`page` and `page_size` of every list."""

    page = serializers.IntegerField(min_value=1, max_value=MAX_PAGE, default=1, help_text="1-indexed page number.")
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=50, help_text="Items per page.")
