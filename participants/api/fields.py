"""Serializer fields that several domains share: ids, codes, names, addresses, JSON objects, pages."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from participants.api.scalars import FractionField, IdField, SwitchField, TextField, WholeNumberField
from participants.engine import (
    MAX_EXTERNAL_ID,
    MAX_KEY,
    control_character_problem,
    external_id_problem,
    invisible_character_problem,
    object_problem,
    plain_number,
    trim_code,
    web_address_problem,
)
from participants.references import RefersTo

MAX_PAGE = 1_000_000_000
MAX_CODE = 50
MAX_NAME = 100
MAX_ADDRESS = 500


class LineField(TextField):
    """One line of text without control characters. Subclasses may have another rule: `problem` returns why a text is refused."""

    problem: Callable[[str], str | None] = staticmethod(control_character_problem)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and (problem := self.problem(value)):
            raise serializers.ValidationError(problem)
        return value


class ParticipantIdField(LineField):
    """The client's own id of a participant: 1 to 255 characters, stored exactly as sent."""

    problem = staticmethod(external_id_problem)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_length", 1)
        kwargs.setdefault("max_length", MAX_EXTERNAL_ID)
        kwargs.setdefault("help_text", "Your participant identifier, 1 to 255 printable characters, case-sensitive.")
        super().__init__(trim_whitespace=False, **kwargs)


@extend_schema_field(OpenApiTypes.DOUBLE)
class MultiplierField(FractionField):
    """A factor above 0 and up to 100, with at most four decimals. Answers contain it as a JSON number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=7, decimal_places=4, min_value=Decimal("0.0001"), max_value=Decimal(100), **kwargs)

    def to_representation(self, value: Any) -> Any:
        return plain_number(value)


class CodeField(LineField):
    """The code of a definition: 1 to 50 characters; surrounding white space is trimmed."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Your code, 1 to 50 characters, case-sensitive. It cannot be changed later.")
        super().__init__(max_length=MAX_CODE, **kwargs)


class VisibleLineField(LineField):
    """One line of text without invisible characters. Use it for text that is compared exactly, such as a code."""

    default_error_messages = {"not_text": "Must be a string; put it in quotes."}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Check the text before DRF trims it: DRF silently drops line separators at both ends."""
        if isinstance(data, str) and (problem := invisible_character_problem(trim_code(data))):
            raise serializers.ValidationError(problem)
        return super().run_validation(data)


class ReferenceCodeField(TextField):
    """The code of another definition, of the kind that `refers_to` names."""

    def __init__(self, *, refers_to: RefersTo, **kwargs: Any) -> None:
        self.refers_to = refers_to
        super().__init__(max_length=MAX_CODE, **kwargs)


class ReferenceIdField(IdField):
    """The id of another definition, of the kind that `refers_to` names."""

    def __init__(self, *, refers_to: RefersTo, **kwargs: Any) -> None:
        self.refers_to = refers_to
        super().__init__(**kwargs)


class NewCodeField(VisibleLineField, CodeField):
    """The code in a request that creates a definition."""


class NameField(LineField):
    """The display name of a definition."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Display name, 1 to 100 characters.")
        super().__init__(max_length=MAX_NAME, **kwargs)


class WebAddressField(LineField):
    """An http or https URL, at most 500 characters. If the field can be null, an empty string means null."""

    problem = staticmethod(lambda value: web_address_problem(value) if value else None)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_ADDRESS, allow_blank=kwargs.get("allow_null", False), **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data) or None


def split_words(text: str) -> list[str]:
    """Split `text` at commas, trim the parts and drop empty ones."""
    return [word.strip() for word in text.split(",") if word.strip()]


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class CodesField(TextField):
    """Comma-separated codes in a query string. `?x=a,b` and `?x=a&x=b` give the same list."""

    def get_value(self, dictionary: Any) -> Any:
        values = dictionary.getlist(self.field_name)
        return ",".join(values) if values else serializers.empty

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)  # checks the characters of the whole text before it is split
        return split_words(value) if isinstance(value, str) else value


@extend_schema_field(OpenApiTypes.OBJECT)
class ObjectField(serializers.Field[dict[str, Any], dict[str, Any], dict[str, Any], Any]):
    """A JSON object with any content, at most 16 KiB."""

    default_error_messages = {"not_an_object": "Must be a JSON object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        if problem := object_problem(data):
            raise serializers.ValidationError(problem)
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


@extend_schema_field({})
class ValueField(serializers.Field[Any, Any, Any, Any]):
    """Any JSON value, null included, in an answer."""

    def to_representation(self, value: Any) -> Any:
        return value


class BodyKeyField(TextField):
    """An idempotency key in the body."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "help_text", "If the same request is sent again with the same key, the first answer is returned."
        )
        super().__init__(
            min_length=1, max_length=MAX_KEY, trim_whitespace=False, required=False, allow_null=True, **kwargs
        )


class DryRunQuery(serializers.Serializer[Any]):
    """The `dry_run` parameter: preview a change without writing it."""

    dry_run = SwitchField(default=False, help_text="Return what would happen, and change nothing.")


class ParticipantPage(serializers.Serializer[Any]):
    # Base of pages of one participant's rows. No docstring: it would describe every such answer in the OpenAPI document.
    participant_id = ParticipantIdField()
    total = serializers.IntegerField(help_text="Number of rows on all pages.")
    page = serializers.IntegerField(help_text="The requested page.")
    page_size = serializers.IntegerField(help_text="The requested page size.")


class PageQuery(serializers.Serializer[Any]):
    """The parameters `page` and `page_size` of all lists."""

    page = WholeNumberField(min_value=1, max_value=MAX_PAGE, default=1, help_text="1-indexed page number.")
    page_size = WholeNumberField(min_value=1, max_value=100, default=50, help_text="Items per page.")
