"""Converts the result of a use case to the JSON that an idempotency row stores, and back.

A result is a frozen dataclass, and the annotations of its fields decide how values are read. `participant_id` and `is_replay` are
never stored: the repeated request names the participant, so nothing of an erased participant remains in the row (decision 0005).
A refusal is stored with its code, its message and its status.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints
from uuid import UUID

from participants.errors import DomainError

NOT_STORED = {"participant_id", "is_replay"}
OMIT_IF_NONE = {"omit_if_none": True}
"""The metadata of a field that the stored answer lacks when its value is None."""

_JSON_TYPES = {str, int, bool, NoneType, list, dict}

Result = TypeVar("Result")


def answer_from(result: Any) -> dict[str, Any]:
    """Return the stored answer for `result`: one JSON value for each field of the dataclass."""
    kind: Any = type(result)
    return {
        name: value if type(value) in _JSON_TYPES else _json(value)
        for name, is_omitted in _stored_fields(kind)
        if (value := getattr(result, name)) is not None or not is_omitted
    }


@cache
def _stored_fields(model: type[Any]) -> list[tuple[str, bool]]:
    """The names of the stored fields, and whether the answer lacks the field when its value is None."""
    return [
        (each.name, each.metadata.items() >= OMIT_IF_NONE.items())
        for each in fields(model)
        if each.name not in NOT_STORED
    ]


def result_from(model: type[Result], answer: Mapping[str, Any], **not_stored: Any) -> Result:
    """Return the `model` that `answer_from` stored, marked as a replay. `not_stored` are fields that the answer lacks.

    Fields that the answer lacks have their defaults, and names that `model` lacks are ignored: another release may have stored it.
    """
    kind: Any = model
    known = {name: read(answer[name]) for name, read in _readers(kind).items() if name in answer}
    replay = {"is_replay": True} if hasattr(kind, "is_replay") else {}
    result: Result = kind(**known, **not_stored, **replay)
    return result


def _json(value: Any) -> Any:
    if type(value) in _JSON_TYPES:
        return value
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, DomainError):
        return {"code": value.code, "message": value.message, "status": value.status}
    return {each.name: _json(getattr(value, each.name)) for each in fields(value)} if is_dataclass(value) else value


@cache
def _readers(model: type[Any]) -> Mapping[str, Callable[[Any], Any]]:
    hints = get_type_hints(model)
    return {each.name: _reader(hints[each.name]) for each in fields(model) if each.name not in NOT_STORED}


def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return the function that reads a JSON value as `hint`. Null is always None."""
    (kind, *_) = [each for each in get_args(hint) if each is not NoneType] if NoneType in get_args(hint) else [hint]
    read = _PLAIN.get(kind) or (_read_nested(kind) if is_dataclass(kind) else None)
    return (lambda value: None if value is None else read(value)) if read else (lambda value: value)


def _read_nested(model: Any) -> Callable[[Any], Any]:
    return lambda value: model(**{name: read(value[name]) for name, read in _readers(model).items() if name in value})


_PLAIN: Mapping[Any, Callable[[Any], Any]] = {
    UUID: UUID,
    Decimal: Decimal,
    datetime: datetime.fromisoformat,
    DomainError: lambda value: DomainError(value["message"], code=value["code"], status=value["status"]),
}
