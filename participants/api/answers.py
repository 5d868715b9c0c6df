"""Derives the fields of an answer from the body that sets them, so that each field of a definition is declared once."""

from collections.abc import Callable
from typing import Any, TypeVar

from rest_framework import serializers

PLAIN_FIELDS = (
    serializers.BooleanField,
    serializers.IntegerField,
    serializers.DateTimeField,
    serializers.CharField,
)
DECLARED = "_declared_fields"  # where REST framework keeps the fields of a serializer class
Answer = TypeVar("Answer", bound=type[serializers.Serializer[Any]])


def shows(body: type[serializers.Serializer[Any]]) -> Callable[[Answer], Answer]:
    """Class decorator: adds the fields of `body` to an answer. Fields that the answer declares itself take precedence."""

    def add(answer: Answer) -> Answer:
        inherited: dict[str, Any] = getattr(answer.__base__, DECLARED, {})
        derived = {name: answer_field(field) for name, field in body().fields.items()}
        setattr(answer, DECLARED, {**inherited, **derived, **getattr(answer, DECLARED)})
        return answer

    return add


class OmitsNull(serializers.Serializer[Any]):
    # Leaves out the `optional_fields` whose value is null. No docstring: it would describe every answer in the OpenAPI document.

    optional_fields: tuple[str, ...] = ()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        answer = super().to_representation(instance)
        return {name: value for name, value in answer.items() if value is not None or name not in self.optional_fields}


def answer_field(field: Any) -> Any:
    """Return a field that shows what `field` sets: the same type, choices and help text, without limits on the input."""
    about = {"help_text": field.help_text, "allow_null": field.allow_null}
    if isinstance(field, serializers.ChoiceField):
        return serializers.ChoiceField(choices=list(field.choices.items()), **about)
    if isinstance(field, serializers.ListField):
        return serializers.ListField(child=answer_field(field.child), **about)
    return next((kind for kind in PLAIN_FIELDS if isinstance(field, kind)), type(field))(**about)
