"""Warnings about ignored fields in the answers to creating and changing definitions.

The specification demands that unknown fields of a body are ignored. So that a typo is noticed, the answer names them:
`PATCH {"min_points": 650}` on a tier is answered with
`"warnings": [{"field": "min_points", "message": "is not a known field and was ignored; did you mean criteria_config.min_points?"}]`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rest_framework import serializers

from participants.engine import SHOWN_CHARACTERS, suggestion

UNKNOWN = "is not a known field and was ignored"
READ_ONLY = "cannot be set by this request and was ignored"

Document = Mapping[str, Any]
Warnings = Sequence[Document]


class IgnoredField(serializers.Serializer[Any]):
    """A field of the request that was ignored."""

    field = serializers.CharField(help_text="Name of the field, as sent.")
    message = serializers.CharField(help_text="Why it was ignored, and which field was probably meant.")


def warnings_field() -> serializers.BaseSerializer[Any]:
    """Return the serializer field `warnings` of an answer."""
    about = "Fields of the request that were ignored. Absent if there are none, and in answers to reads."
    return IgnoredField(many=True, required=False, help_text=about)


def with_warnings(answer: Document, warnings: Warnings) -> dict[str, Any]:
    """Return `answer`, with a field `warnings` if there are any."""
    return {**answer, "warnings": warnings} if warnings else dict(answer)


def ignored_fields(
    sent: Any, body: serializers.Serializer[Any], *, current: Callable[[], Document] = dict
) -> list[dict[str, str]]:
    """Return a warning for each field of `sent` that `body` does not have.

    `current()` returns the answer of a read before the change. Clients may send its fields back, unchanged or as null, without
    a warning.
    """
    unknown = [name for name in sent if name not in body.fields] if isinstance(sent, Mapping) else []
    if not unknown:
        return []
    before, known = current(), list(_paths(body))
    return [
        {
            "field": name[:SHOWN_CHARACTERS],
            "message": READ_ONLY if name in before else f"{UNKNOWN}; {suggestion(name, known)}",
        }
        for name in unknown
        if name not in before or sent[name] not in (None, before[name])
    ]


def _paths(body: serializers.Serializer[Any]) -> Iterator[str]:
    """Yield the names of the fields of `body`, then the dotted paths of the fields inside its objects."""
    yield from (str(name) for name in body.fields)
    for name, field in body.fields.items():
        nested = getattr(field, "child", field)
        if isinstance(nested, serializers.Serializer):
            yield from (f"{name}.{path}" for path in _paths(nested))
