"""An index that finds the expressions that an event may match, without evaluating all of them.

An expression is indexed by one comparison, which must hold for the expression to match: the expression is that comparison, or an `and`
that contains it. The comparison tests whether a property of the event equals a value, is one of several values, or lies above or below
a bound. An event looks up the expressions that are stored under its own values. An expression that is found must still be evaluated;
an expression that is not found cannot match. Expressions without such a comparison are always found.
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
_RANKS = {name: rank for rank, name in enumerate((*EQUAL, *ABOVE, *BELOW))}
_SCALARS = (str, int, float, bool, type(None))

Key = tuple[bool, Any]
Bound = tuple[Any, int]


@dataclass
class _FieldIndex:
    """The expressions indexed by one property: their places by value, and with their bounds. Bounds of numbers and texts are apart."""

    equal: defaultdict[Key, list[int]] = field(default_factory=lambda: defaultdict(list))
    above: defaultdict[bool, list[Bound]] = field(default_factory=lambda: defaultdict(list))
    below: defaultdict[bool, list[Bound]] = field(default_factory=lambda: defaultdict(list))

    def add(self, place: int, comparison: Comparison) -> None:
        if comparison.operator in EQUAL:
            values = comparison.value if comparison.operator == "in" else [comparison.value]
            for key in {_key(value) for value in values}:
                self.equal[key].append(place)
            return
        bounds = self.above if comparison.operator in ABOVE else self.below
        insort(bounds[isinstance(comparison.value, str)], (comparison.value, place))

    def places(self, actual: Any) -> Iterator[int]:
        """Yield the expressions that may match a value of the property. Those whose bound equals the value are included."""
        if type(actual) not in _SCALARS:
            return
        yield from self.equal.get(_key(actual), ())
        if actual is None or isinstance(actual, bool):
            return
        above, below = (bounds.get(isinstance(actual, str), []) for bounds in (self.above, self.below))
        yield from (place for _, place in above[: bisect_right(above, actual, key=_bound)])
        yield from (place for _, place in below[bisect_left(below, actual, key=_bound) :])


def _key(value: Any) -> Key:
    """Keep True and 1 apart, which are the same key of a dictionary."""
    return isinstance(value, bool), value


def _bound(entry: Bound) -> Any:
    return entry[0]


class ExpressionIndex:
    """`roots` are the parsed expressions; None stands for one that matches everything. An expression is named by its place in them."""

    def __init__(self, roots: Sequence[Node | None]) -> None:
        fields: defaultdict[str, _FieldIndex] = defaultdict(_FieldIndex)
        self._always: list[int] = []
        for place, root in enumerate(roots):
            comparison = _most_selective(root)
            if comparison is None:
                self._always.append(place)
            else:
                fields[comparison.field].add(place, comparison)
        self._fields = [(compile_path(name), index) for name, index in fields.items()]

    def places(self, properties: Values) -> list[int]:
        """Return the places of the expressions that may match an event with these properties, in order."""
        found = list(self._always)
        for read, index in self._fields:
            actual = read(properties, {})
            if actual is not MISSING:
                found += index.places(actual)
        return sorted(found)


def _most_selective(root: Node | None) -> Comparison | None:
    """Return the comparison to index by: equality before bounds. None if there is none that must hold."""
    parts = root.parts if isinstance(root, All) else [root]
    comparisons = [part for part in parts if isinstance(part, Comparison) and _can_be_indexed(part)]
    return min(comparisons, key=lambda comparison: _RANKS[comparison.operator], default=None)


def _can_be_indexed(comparison: Comparison) -> bool:
    return comparison.operator in _RANKS and not is_participant_attribute(comparison.field)
