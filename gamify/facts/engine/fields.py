"""Where a value is found: the dotted paths of expressions, sums and grants, everywhere the same (contract §11).

`amount`, `order.total` and `attrs.order.total` are properties of the event, `participant.plan` is an attribute of the
participant. A property whose whole name has dots in it is found by that name first, then the path is walked through
nested objects. Lists are not walked, and nothing but the keys of objects is ever looked up.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

MAX_LENGTH = 200
MAX_SEGMENTS = 8
ATTRIBUTES = "participant."
PROPERTIES = "attrs."

Values = Mapping[str, Any]
Read = Callable[[Values, Values], Any]
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


def is_of_participant(field: str) -> bool:
    """Whether `field` is an attribute of the participant and no property of the event."""
    return field.startswith(ATTRIBUTES)


def own_name(field: str) -> str | None:
    """The name of a property that is found by its name alone; None for a path, and for an attribute."""
    name = field.removeprefix(PROPERTIES)
    return None if is_of_participant(field) or "." in name else name


def reader(field: str) -> Read:
    """Compile a path that has no problem."""
    if is_of_participant(field):
        find = _finder(field.removeprefix(ATTRIBUTES))
        return lambda properties, attributes: find(attributes)
    find = _finder(field.removeprefix(PROPERTIES))
    return lambda properties, attributes: find(properties)


def _finder(name: str) -> Callable[[Values], Any]:
    if "." not in name:
        return lambda values: values.get(name, MISSING)
    names = name.split(".")

    def find(values: Values) -> Any:
        whole = values.get(name, MISSING)
        return _walked(values, names) if whole is MISSING else whole

    return find


def _walked(value: Any, names: list[str]) -> Any:
    for name in names:
        if not isinstance(value, Mapping):
            return MISSING
        value = value.get(name, MISSING)
    return value
