"""Where a value is found: the dotted paths of expressions, sums and grants, everywhere the same (contract §11).

`amount`, `order.total` and `attrs.order.total` are properties of the event, `participant.plan` is an attribute of the
participant. Names may contain dots themselves: at every level the longest name that the object has is taken, so that
`a.b.c` finds `{"a.b": {"c": 2}}` and `{"a": {"b.c": 2}}`. A name that was taken is not given up again: in
`{"a.b": 1, "a": {"b": {"c": 2}}}` the path `a.b.c` finds nothing. Lists are not walked, and nothing but the keys of
objects is ever looked up.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

MAX_LENGTH = 200
MAX_SEGMENTS = 8
ATTRIBUTES = "participant."
PROPERTIES = "attrs."

Values = Mapping[str, Any]
ReadField = Callable[[Values, Values], Any]
"""Finds a value among properties and attributes; `MISSING` where there is none."""


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


def field_problem(field: object) -> str | None:
    """Why `field` is no path, or None if it is one."""
    if not isinstance(field, str) or not field:
        return "must be the dotted path of a property"
    if len(field) > MAX_LENGTH:
        return f"must not be longer than {MAX_LENGTH} characters"
    names = field.split(".")
    if len(names) > MAX_SEGMENTS:
        return f"must not have more than {MAX_SEGMENTS} names"
    return None if all(names) else "must not have an empty name between dots"


def is_participant_attribute(field: str) -> bool:
    """Whether `field` is an attribute of the participant and no property of the event."""
    return field.startswith(ATTRIBUTES)


def plain_property_name(field: str) -> str | None:
    """The name of a property that is found by its name alone; None for a path, and for an attribute."""
    name = field.removeprefix(PROPERTIES)
    return None if is_participant_attribute(field) or "." in name else name


def compile_path(field: str) -> ReadField:
    """Compile a path that has no problem."""
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
            taken = _longest_name(value, names_from[place])
            if taken is None:
                return MISSING
            name, place = taken
            value = value[name]
        return value

    return find


Name = tuple[str, int]
"""A possible name of a property, and the place in the path of the part that follows it."""


def _names_from(parts: Sequence[str]) -> Sequence[Sequence[Name]]:
    """For each place in the path the names that may begin there, the longest first."""
    count = len(parts)
    return [[(".".join(parts[place:end]), end) for end in range(count, place, -1)] for place in range(count)]


def _longest_name(value: Any, names: Sequence[Name]) -> Name | None:
    """The longest of `names` that `value` has; None where it has none of them, or is no object."""
    if not isinstance(value, Mapping):
        return None
    for name in names:
        if name[0] in value:
            return name
    return None
