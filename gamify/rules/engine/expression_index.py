"""Which of many expressions may match an event, without asking each.

Of an expression that is one condition, or some that must all hold, one on a property of the event is picked which must hold whatever
else does: that something equals a value, is one of some, or lies above or below a bound. By it the expression is filed, and an event looks up
what is filed under its own values. Who is found is still to be asked; who is not found cannot match.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gamify.facts.engine.fields import MISSING, Values, compile_path, is_participant_attribute
from gamify.facts.engine.tree import All, Comparison, Node

EQUAL = ("eq", "in")
ABOVE = ("gt", "gte")
BELOW = ("lt", "lte")
_FILED = {name: rank for rank, name in enumerate((*EQUAL, *ABOVE, *BELOW))}
_SCALARS = (str, int, float, bool, type(None))

Key = tuple[bool, Any]
Bound = tuple[Any, int]


@dataclass
class _OnField:
    """What is filed by one property: places by value, and places with their bounds, numbers and texts apart."""

    equal: defaultdict[Key, list[int]] = field(default_factory=lambda: defaultdict(list))
    above: defaultdict[bool, list[Bound]] = field(default_factory=lambda: defaultdict(list))
    below: defaultdict[bool, list[Bound]] = field(default_factory=lambda: defaultdict(list))

    def file(self, place: int, condition: Comparison) -> None:
        if condition.operator in EQUAL:
            values = condition.value if condition.operator == "in" else [condition.value]
            for key in {_key(value) for value in values}:
                self.equal[key].append(place)
            return
        bounds = self.above if condition.operator in ABOVE else self.below
        insort(bounds[isinstance(condition.value, str)], (condition.value, place))

    def places(self, actual: Any) -> Iterator[int]:
        """Who may match an event with this value; a bound that is met exactly is left to whoever asks."""
        if type(actual) not in _SCALARS:
            return
        yield from self.equal.get(_key(actual), ())
        if actual is None or isinstance(actual, bool):
            return
        above, below = (bounds.get(isinstance(actual, str), []) for bounds in (self.above, self.below))
        yield from (place for _, place in above[: bisect_right(above, actual, key=_bound)])
        yield from (place for _, place in below[bisect_left(below, actual, key=_bound) :])


def _key(value: Any) -> Key:
    """True is no number, though Python's dictionaries take it for 1."""
    return isinstance(value, bool), value


def _bound(filed: Bound) -> Any:
    return filed[0]


class ExpressionIndex:
    """`roots` are the expressions by their places; None stands for one that asks nothing."""

    def __init__(self, roots: Sequence[Node | None]) -> None:
        fields: defaultdict[str, _OnField] = defaultdict(_OnField)
        self._always: list[int] = []
        for place, root in enumerate(roots):
            condition = _filed_by(root)
            if condition is None:
                self._always.append(place)
            else:
                fields[condition.field].file(place, condition)
        self._fields = [(compile_path(name), filed) for name, filed in fields.items()]

    def places(self, properties: Values) -> list[int]:
        """Those that may match an event with these properties, in order."""
        found = list(self._always)
        for read, filed in self._fields:
            actual = read(properties, {})
            if actual is not MISSING:
                found += filed.places(actual)
        return sorted(found)


def _filed_by(root: Node | None) -> Comparison | None:
    """The condition that tells most, of those that must hold; None where there is none."""
    parts = root.parts if isinstance(root, All) else [root]
    conditions = [part for part in parts if isinstance(part, Comparison) and _can_be_filed(part)]
    return min(conditions, key=lambda condition: _FILED[condition.operator], default=None)


def _can_be_filed(condition: Comparison) -> bool:
    return condition.operator in _FILED and not is_participant_attribute(condition.field)
