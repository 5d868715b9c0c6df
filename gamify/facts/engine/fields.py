"""Dotted paths: where expressions, sums and grants find a value (docs/contract.md §11).

`amount`, `order.total` and `attrs.order.total` are properties of the event; `participant.plan` is an attribute of the participant.

Names may contain dots. At every level the longest name that the object has is taken: `a.b.c` finds a value in `{"a.b": {"c": 2}}` and
in `{"a": {"b.c": 2}}`. There is no backtracking: in `{"a.b": 1, "a": {"b": {"c": 2}}}` the path `a.b.c` finds nothing. Paths follow
the keys of objects only; they do not go into lists.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

MAX_LENGTH = 200
MAX_SEGMENTS = 8
ATTRIBUTES = "participant."
PROPERTIES = "attrs."

Values = Mapping[str, Any]
ReadField = Callable[[Values, Values], Any]
"""`read(properties, attributes)` returns the value that a path finds, or `MISSING`."""


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


def field_problem(field: object) -> str | None:
    """Return why `field` is not a path, or None if it is one."""
    if not isinstance(field, str) or not field:
        return "must be the dotted path of a property"
    if len(field) > MAX_LENGTH:
        return f"must not be longer than {MAX_LENGTH} characters"
    names = field.split(".")
    if len(names) > MAX_SEGMENTS:
        return f"must not have more than {MAX_SEGMENTS} names"
    return None if all(names) else "must not have an empty name between dots"


def is_participant_attribute(field: str) -> bool:
    """Whether `field` is an attribute of the participant, and not a property of the event."""
    return field.startswith(ATTRIBUTES)


def plain_property_name(field: str) -> str | None:
    """Return the name of a property if `field` is a single name; None for a path of several names and for an attribute."""
    name = field.removeprefix(PROPERTIES)
    return None if is_participant_attribute(field) or "." in name else name


def property_paths(properties: Values) -> Iterator[str]:
    """Yield the path of every property that is not an object, such as `order.total`. Paths that `field_problem` refuses are left out."""
    for name, value in properties.items():
        inner = property_paths(value) if isinstance(value, Mapping) and value else ()
        paths = [f"{name}.{path}" for path in inner] or [name]
        yield from (path for path in paths if field_problem(path) is None)


def compile_path(field: str) -> ReadField:
    """Compile a path that `field_problem` has accepted."""
    if is_participant_attribute(field):
        find = _finder(field.removeprefix(ATTRIBUTES))
        return lambda properties, attributes: find(attributes)
    find = _finder(field.removeprefix(PROPERTIES))
    return lambda properties, attributes: find(properties)


def _finder(path: str) -> Callable[[Values], Any]:
    if "." not in path:
        return lambda values: values.get(path, MISSING)
    names_from = _names_from(path.split("."))

    def find(values: Values) -> Any:
        value, place = values, 0
        while place < len(names_from):
            match = _longest_name(value, names_from[place])
            if match is None:
                return MISSING
            name, place = match
            value = value[name]
        return value

    return find


Name = tuple[str, int]
"""A possible name of a property, and the index in the path of the part that follows it."""


def _names_from(parts: Sequence[str]) -> Sequence[Sequence[Name]]:
    """For each index of the path, return the names that may begin there, the longest first."""
    count = len(parts)
    return [[(".".join(parts[place:end]), end) for end in range(count, place, -1)] for place in range(count)]


def _longest_name(value: Any, names: Sequence[Name]) -> Name | None:
    """Return the longest of `names` that `value` has; None if it has none of them or is not an object."""
    if not isinstance(value, Mapping):
        return None
    for name in names:
        if name[0] in value:
            return name
    return None
