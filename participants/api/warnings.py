"""What the answer to the creation or change of a definition says of fields that were ignored.

The body of a definition may have fields that nothing knows: they are ignored, as the specification asks. So that a typo does not
vanish, the answer then names them: `PATCH {"min_points": 650}` on a tier is answered with
`"warnings": [{"field": "min_points", "message": "is not a known field and was ignored; did you mean criteria_config.min_points?"}]`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rest_framework import serializers

from participants.engine import SHOWN_CHARACTERS, suggestion

READ_ONLY = "cannot be set by this request and was ignored"

Document = Mapping[str, Any]
Warnings = Sequence[Document]


class IgnoredField(serializers.Serializer[Any]):
    """A field of the request that was ignored."""

    field = serializers.CharField(help_text="Its name, as it was sent.")
    message = serializers.CharField(help_text="Why it was ignored, and which field was probably meant.")


def warnings_field() -> serializers.BaseSerializer[Any]:
    """The `warnings` of an answer."""
    about = "Fields of the request that were ignored. Absent where there are none, and from answers to reads."
    return IgnoredField(many=True, required=False, help_text=about)


def with_warnings(answer: Document, warnings: Warnings) -> dict[str, Any]:
    """`answer` with `warnings`, if there are any."""
    return {**answer, "warnings": warnings} if warnings else dict(answer)


def ignored_fields(
    sent: Any, body: serializers.Serializer[Any], *, shown: Callable[[], Document] = dict
) -> list[dict[str, str]]:
    """A warning for each field of `sent` that `body` does not know.

    `shown()` is what reads answer before the change: clients may send that back as it was, or as null, without a warning.
    """
    unknown = [name for name in sent if name not in body.fields] if isinstance(sent, Mapping) else []
    if not unknown:
        return []
    before, known = shown(), list(_paths(body))
    return [
        {"field": name[:SHOWN_CHARACTERS], "message": _message(name, before, known)}
        for name in unknown
        if name not in before or sent[name] not in (None, before[name])
    ]


def _message(name: str, before: Document, known: Sequence[str]) -> str:
    return READ_ONLY if name in before else f"is not a known field and was ignored; {suggestion(name, known)}"


def _paths(body: serializers.Serializer[Any]) -> Iterator[str]:
    """The names of the fields of `body`, then those inside its objects as dotted paths."""
    yield from (str(name) for name in body.fields)
    for name, field in body.fields.items():
        nested = getattr(field, "child", field)
        if isinstance(nested, serializers.Serializer):
            yield from (f"{name}.{path}" for path in _paths(nested))
