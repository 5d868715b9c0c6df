"""Serializer fields that definitions of all domains share: event names, conditions, expressions, grants (docs/contract.md §11).

Messages are the ends of sentences that begin with the field: a client reads `config: event_types cannot be empty`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify.facts.engine.conditions import MAX_DISTINCT, ConditionKind
from gamify.facts.engine.expressions import expression_problem, filter_problem
from gamify.facts.engine.fields import field_problem
from gamify.facts.services import GrantField, grant_kinds, grant_problem
from participants.api.fields import ObjectField
from participants.api.nested import NestedObject
from participants.api.scalars import TextField
from participants.engine import control_character_problem
from participants.errors import FieldError
from participants.models import Tenant

MAX_EVENT_TYPE = 100
MAX_EVENT_TYPES = 50
MAX_MINIMUM = {ConditionKind.COUNT: 1_000_000, ConditionKind.DISTINCT: MAX_DISTINCT, ConditionKind.SUM: 10**15}
MAX_GRANTS = 20

_ENDINGS = {
    "required": "is required",
    "null": "cannot be null",
    "blank": "cannot be empty",
    "empty": "cannot be empty",
    "invalid": "is not valid",
    "not_a_list": "must be a list",
    "not_text": "must be a string",
    "not_an_object": "must be an object",
    "min_value": "must be positive",
    "max_value": "must not be more than {max_value}",
    "max_length": "must not be longer than {max_length}",
}


def message_endings(**more: str) -> dict[str, Any]:
    """Return error messages that end a sentence which begins with the name of the field. `more` replaces or adds messages."""
    return _ENDINGS | more


class Body(NestedObject):
    """An object inside a definition. Its messages are ends of sentences."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("error_messages", message_endings(invalid="must be an object"))
        super().__init__(*args, **kwargs)


class EventTypeField(TextField):
    def __init__(self, **kwargs: Any) -> None:
        too_long = "must not be longer than {max_length} characters"
        super().__init__(max_length=MAX_EVENT_TYPE, error_messages=message_endings(max_length=too_long), **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and control_character_problem(value):
            raise serializers.ValidationError("must not contain control characters")
        if isinstance(value, str) and "," in value:
            raise serializers.ValidationError("must not contain commas")
        return value


class EventTypesField(serializers.ListField):
    """Names of clients' events, without duplicates."""

    child = EventTypeField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_EVENT_TYPES, error_messages=message_endings(), **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        names = super().run_validation(data)
        return list(dict.fromkeys(names)) if isinstance(names, list) else names


@extend_schema_field({"type": "number", "exclusiveMinimum": 0})
class NumberField(serializers.Field[Any, Any, Any, Any]):
    """A positive JSON number. It is not converted: an int stays an int."""

    def to_internal_value(self, data: Any) -> int | float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError("must be a number")
        if data <= 0:
            raise serializers.ValidationError("must be positive")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class MetricField(serializers.ChoiceField):
    """The name of a metric. `names` is called for each new body, because domains register metrics after bodies are declared."""

    def __init__(self, names: Callable[[], Sequence[str]], **kwargs: Any) -> None:
        choices = names()
        invalid = f"must be one of: {', '.join(choices)}"
        super().__init__(choices=choices, error_messages=message_endings(invalid_choice=invalid), **kwargs)


class ConditionBody(Body):
    """The condition of a streak or of an objective."""

    type = serializers.ChoiceField(
        choices=[kind.value for kind in ConditionKind],
        error_messages=message_endings(invalid_choice="must be count, sum or distinct"),
        help_text="What is counted: the number of events, the `sum` of a field, or its `distinct` values.",
    )
    min = NumberField(
        error_messages=message_endings(), help_text="The number or the sum at which the condition is met."
    )
    field = TextField(
        required=False,
        allow_null=True,
        error_messages=message_endings(),
        help_text="Dotted path, such as `attrs.points`.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind, minimum = ConditionKind(attrs["type"]), attrs["min"]
        if kind is not ConditionKind.SUM and minimum != int(minimum):
            raise serializers.ValidationError({"min": "must be a whole number"})
        if minimum > MAX_MINIMUM[kind]:
            raise serializers.ValidationError({"min": f"must not be more than {MAX_MINIMUM[kind]}"})
        if kind is ConditionKind.COUNT:
            return {"type": attrs["type"], "min": minimum}
        if problem := field_problem(attrs.get("field")):
            raise serializers.ValidationError({"field": problem})
        return attrs


def validation_error_from(problem: FieldError) -> serializers.ValidationError:
    """Return the error for a problem inside an expression or a filter, at its path."""
    return serializers.ValidationError({problem.field: [problem.message]} if problem.field else problem.message)


class ExpressionField(ObjectField):
    default_error_messages = {"not_an_object": "must be an object"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        document = super().to_internal_value(data)
        if problem := expression_problem(document):
            raise validation_error_from(problem)
        return document


class FilterField(ObjectField):
    """The short form of an expression, about properties of the event only."""

    default_error_messages = {"not_an_object": "must be an object"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        short = super().to_internal_value(data)
        if problem := filter_problem(short):
            raise validation_error_from(problem)
        return short


class GrantSpecField(ObjectField):
    """One grant. Its keys depend on its type."""

    def fields_of(self, spec: Mapping[str, Any]) -> Mapping[str, GrantField]:
        """Return the declared keys of this grant, besides `type`."""
        kind = spec.get("type")
        return grant_kinds[kind].fields if isinstance(kind, str) and kind in grant_kinds else {}


class GrantsField(serializers.ListField):
    """What a definition gives (docs/contract.md §11). `grant_problems` checks the content, because that needs the tenant."""

    child = GrantSpecField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_GRANTS, error_messages=message_endings(), **kwargs)


class GrantsFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # it registers itself
    """Documents GrantsField in OpenAPI. The schema is built on demand, because the domains register their grant kinds after this import."""

    target_class = GrantsField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "array", "items": grant_schema(), "maxItems": MAX_GRANTS}


def grant_schema() -> dict[str, Any]:
    """Return the JSON schema of a grant, with the fields of all grant kinds."""
    kinds = ", ".join(f"`{name}`" for name in grant_kinds)
    schemas: dict[str, Any] = {"type": {"type": "string", "description": f"The kind: {kinds}."}}
    users: defaultdict[str, list[str]] = defaultdict(list)
    for kind in grant_kinds.values():
        for name, field in kind.fields.items():
            users[name].append(kind.label)
            description = f"{', '.join(users[name])}: {field.about}"
            schemas[name] = {**field.schema, "description": description}
    return {"type": "object", "required": ["type"], "properties": schemas}


def grant_problems(tenant: Tenant, grants: Sequence[Mapping[str, Any]], *, at: str) -> Iterator[FieldError]:
    """Yield what is wrong with `grants` of a definition of `tenant`, with paths that begin with the field name `at`."""
    for index, spec in enumerate(grants):
        if problem := grant_problem(tenant, spec):
            yield FieldError(".".join(filter(None, (at, str(index), problem.field))), problem.message)
