"""Serializer fields for what the spec has everywhere."""

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from participants.api.scalars import FractionField, SwitchField, TextField, WholeNumberField
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

MAX_PAGE = 1_000_000_000
MAX_CODE = 50
MAX_NAME = 100
MAX_ADDRESS = 500


class ParticipantIdField(TextField):
    """The client's own id: 1–255 characters, kept as sent."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_length", 1)
        kwargs.setdefault("max_length", MAX_EXTERNAL_ID)
        kwargs.setdefault("help_text", "Your participant identifier, 1 to 255 printable characters, case-sensitive.")
        super().__init__(trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and (problem := external_id_problem(value)):
            raise serializers.ValidationError(problem)
        return value


@extend_schema_field(OpenApiTypes.DOUBLE)
class MultiplierField(FractionField):
    """How many times as many: above 0, up to 100, to four decimals. A JSON number in answers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=7, decimal_places=4, min_value=Decimal("0.0001"), max_value=Decimal(100), **kwargs)

    def to_representation(self, value: Any) -> Any:
        return plain_number(value)


class LineField(TextField):
    """One line of text for people."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and (problem := control_character_problem(value)):
            raise serializers.ValidationError(problem)
        return value


class CodeField(LineField):
    """What ops call a definition of theirs: 1 to 50 characters, without white space around them."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Your code for it, 1 to 50 characters, case-sensitive. It never changes.")
        super().__init__(max_length=MAX_CODE, **kwargs)


class VisibleLineField(LineField):
    """One line of text that is compared character by character, such as a code: a JSON string without invisible characters."""

    default_error_messages = {"not_text": "Must be a string; put it in quotes."}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Look at the text before DRF trims it, because DRF drops line separators at its ends without an error."""
        if isinstance(data, str) and (problem := invisible_character_problem(trim_code(data))):
            raise serializers.ValidationError(problem)
        return super().run_validation(data)


class NewCodeField(VisibleLineField, CodeField):
    """The code of a definition that is being created."""


class NameField(LineField):
    """A definition's name, for people."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Its name, for people, 1 to 100 characters.")
        super().__init__(max_length=MAX_NAME, **kwargs)


class WebAddressField(TextField):
    """An http or https address, at most 500 characters. Where it may be null, an empty text means null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_ADDRESS, allow_blank=kwargs.get("allow_null", False), **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if value == "":
            return None
        if isinstance(value, str) and (problem := web_address_problem(value)):
            raise serializers.ValidationError(problem)
        return value


def words_of(text: str) -> list[str]:
    """The parts of `text` between commas, without blank ones."""
    return [word.strip() for word in text.split(",") if word.strip()]


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class CodesField(TextField):
    """Codes in a query, separated by commas. A parameter that is repeated gives the same list."""

    def get_value(self, dictionary: Any) -> Any:
        given = dictionary.getlist(self.field_name)
        return ",".join(given) if given else serializers.empty

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)  # the whole text, so that its characters are looked at before it is split
        return words_of(value) if isinstance(value, str) else value


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


class BodyKeyField(TextField):
    """An idempotency key in the body."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "The same key and request again answers as the first time did.")
        super().__init__(
            min_length=1, max_length=MAX_KEY, trim_whitespace=False, required=False, allow_null=True, **kwargs
        )


class DryRunQuery(serializers.Serializer[Any]):
    """Whether a change is only looked at beforehand."""

    dry_run = SwitchField(default=False, help_text="Only tell what it would come to, and do nothing.")


class PageQuery(serializers.Serializer[Any]):
    """`page` and `page_size` of every list."""

    page = WholeNumberField(min_value=1, max_value=MAX_PAGE, default=1, help_text="1-indexed page number.")
    page_size = WholeNumberField(min_value=1, max_value=100, default=50, help_text="Items per page.")
