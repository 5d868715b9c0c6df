"""Translates bodies of definitions between the file, which refers to definitions by code, and requests, some of which refer by id."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework.fields import Field, empty
from rest_framework.serializers import ListField, Serializer

from gamify.facts.definitions import GrantSpecField
from gamify.facts.services import GrantField
from participants.engine import SHOWN_CHARACTERS, unknown_key_problem
from participants.references import RefersTo

Path = str


@dataclass(frozen=True)
class Reference:
    """The value at `path` in the file refers to a definition. `value` may be anything that the file contains there."""

    path: Path
    to: RefersTo
    value: Any


@dataclass(frozen=True)
class Translation:
    """How values are translated. `is_from_file` is the direction.

    `refer(reference)` returns the translated value of a reference. `refuse(path, message)` is called for keys that only requests
    have, such as the id of a reward.
    """

    is_from_file: bool
    refer: Callable[[Reference], Any]
    refuse: Callable[[Path, str], None] = lambda path, message: None

    def translate(self, field: Any, value: Any, path: Path = "") -> Any:
        """Return `value` of the serializer field `field`, translated. What the field does not know stays as it is."""
        if value is None:
            return None
        if refers_to := getattr(field, "refers_to", None):
            return self.refer(Reference(path, refers_to, value))
        if isinstance(field, ListField) and isinstance(value, list | tuple):
            return [self.translate(field.child, item, _join(path, index)) for index, item in enumerate(value)]
        fields = _fields_of(field, value) if isinstance(value, Mapping) else {}
        return self._translate_object(fields, value, path) if fields else value

    def _translate_object(self, fields: Mapping[str, Any], value: Mapping[str, Any], path: Path) -> dict[str, Any]:
        """Translate an object. Its keys then have the order of `fields`, behind those that `fields` does not have."""
        by_name = {self._name_before(name, field): name for name, field in fields.items()}
        translated = {}
        for key, item in value.items():
            if key in by_name and self._is_left_out(fields[by_name[key]], item, path):
                continue
            if key in by_name:
                name = by_name[key]
                translated[self._name_after(name, fields[name])] = self.translate(fields[name], item, _join(path, key))
            elif key in fields:
                self.refuse(_join(path, key), unknown_key_problem(key[:SHOWN_CHARACTERS], list(by_name)))
            else:
                translated[key] = item
        order = {key: place for place, key in enumerate(self._name_after(name, each) for name, each in fields.items())}
        return dict(sorted(translated.items(), key=lambda pair: order.get(pair[0], -1)))

    def _is_left_out(self, field: Any, item: Any, path: Path) -> bool:
        """Whether a file leaves the part of an object out: null, where that means the same as nothing."""
        is_optional = isinstance(field, Field) and not field.required and field.default in (empty, None)
        return item is None and is_optional and bool(path) and not self.is_from_file

    def _name_before(self, name: str, field: Any) -> str:
        return name_in_file(name, field) if self.is_from_file else name

    def _name_after(self, name: str, field: Any) -> str:
        return name if self.is_from_file else name_in_file(name, field)


def path_in_file(field: Any, value: Any, path: Path) -> Path:
    """Translate `path`, which leads into the request `value` of `field`, to the path of the same value in the file."""
    head, _, tail = path.partition(".")
    if isinstance(field, ListField) and isinstance(value, list) and head.isdecimal() and int(head) < len(value):
        return _join(head, path_in_file(field.child, value[int(head)], tail)) if tail else head
    fields = _fields_of(field, value) if isinstance(value, Mapping) else {}
    if head not in fields:
        return path
    named = name_in_file(head, fields[head])
    return _join(named, path_in_file(fields[head], value.get(head), tail)) if tail else named


def name_in_file(name: str, field: Any) -> str:
    refers_to: RefersTo | None = getattr(field, "refers_to", None)
    return refers_to.name_in_file or name if refers_to else name


def _fields_of(field: Any, value: Mapping[str, Any]) -> Mapping[str, Any | GrantField]:
    """Return the fields of an object: those of a serializer, or those that depend on the value, as of a grant."""
    if isinstance(field, Serializer):
        return dict(field.fields)
    fields_of: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = getattr(field, "fields_of", None)
    return {} if fields_of is None else fields_of(value)


def _join(path: Path, name: object) -> Path:
    return f"{path}.{name}" if path else str(name)


def grants_in(field: Any, value: Any, path: Path = "") -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield every grant inside `value`, a request value of `field`, with its path."""
    if isinstance(field, GrantSpecField):
        yield from [(path, value)] if isinstance(value, Mapping) else []
        return
    for name, inner, item in _parts(field, value):
        yield from grants_in(inner, item, _join(path, name))


def _parts(field: Any, value: Any) -> Iterator[tuple[object, Any, Any]]:
    """Yield the name or index, the field and the value of each part of an object or a list."""
    if isinstance(field, ListField) and isinstance(value, list):
        yield from ((index, field.child, item) for index, item in enumerate(value))
    elif isinstance(field, Serializer) and isinstance(value, Mapping):
        yield from ((name, inner, value.get(name)) for name, inner in field.fields.items())
