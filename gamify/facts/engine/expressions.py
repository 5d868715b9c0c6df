"""The language in which definitions select events (docs/contract.md §11).

    {"condition": {"field": "amount", "operator": "gte", "value": 10}}
    {"and": [...]}   {"or": [...]}   {"not": {...}}

It has a short form, the filter. A filter tests properties of the event only, and all its conditions must hold:

    {"plan": "pro", "amount": {"gte": 10}, "sku": {"in": ["a", "b"]}}

Both are parsed into one tree (`tree`), which is compiled once to closures. A missing field fails every operator except `ne`,
`nin` and `exists` with false, which it passes. `fields` describes the paths, `operators` the operators.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gamify.facts.engine.fields import (
    MISSING,
    ReadField,
    Values,
    compile_path,
    is_participant_attribute,
    plain_property_name,
)
from gamify.facts.engine.operators import OPERATORS
from gamify.facts.engine.parsing import parse_expression, parse_filter
from gamify.facts.engine.tree import All, Comparison, MalformedExpression, Node, Not
from participants.errors import FieldError

__all__ = [
    "MATCHES_NOTHING",
    "CompiledExpression",
    "MalformedExpression",
    "compile_expression",
    "compile_filter",
    "condition_results",
    "expression_as_filter",
    "expression_problem",
    "filter_as_expression",
    "filter_problem",
]

MAX_SHOWN = 200

Document = Mapping[str, Any]
Matches = Callable[[Values, Values], bool]


@dataclass(frozen=True)
class CompiledExpression:
    """`matches(properties, attributes)` says whether the expression holds for an event and its participant. It never raises."""

    root: Node
    matches: Matches

    @cached_property
    def conditions(self) -> Sequence[tuple[Comparison, ReadField, Matches]]:
        """Every condition in order, with the functions that read its field and test it."""
        return [(each, compile_path(each.field), _compile_comparison(each)) for each in _comparisons(self.root)]


def compile_expression(document: Document) -> CompiledExpression:
    """Compile the long form. Raises: MalformedExpression."""
    return _compile(parse_expression(document))


def compile_filter(document: Document) -> CompiledExpression:
    """Compile the short form. An empty filter matches everything. Raises: MalformedExpression."""
    return _compile(All(parse_filter(document)))


MATCHES_NOTHING = CompiledExpression(Not(All(())), matches=lambda properties, attributes: False)
"""For a stored expression that cannot be compiled: it must not prevent other definitions from working."""


def expression_problem(document: object) -> FieldError | None:
    """Return the first error in the long form, at a path such as `or.1.condition.operator`; None if there is none."""
    return _problem(parse_expression, document)


def filter_problem(document: object) -> FieldError | None:
    """Return the first error in the short form, at a path such as `amount.gte`; None if there is none."""
    return _problem(parse_filter, document)


def _problem(parse: Callable[[object], object], document: object) -> FieldError | None:
    try:
        parse(document)
    except MalformedExpression as malformed:
        return malformed.problem
    return None


def filter_as_expression(short: Document) -> dict[str, Any] | None:
    """Return the long form of a filter; None for an empty filter, which matches everything. Raises: MalformedExpression."""
    conditions = [
        {"condition": {"field": each.field, "operator": each.operator, "value": each.value}}
        for each in parse_filter(short)
    ]
    if len(conditions) > 1:
        return {"and": conditions}
    return conditions[0] if conditions else None


def expression_as_filter(long: Document) -> dict[str, Any] | None:
    """Return the short form of an expression; None if it has none. Raises: MalformedExpression.

    There is a short form if the expression is one condition, or an `and` of conditions, that test properties of the event, and
    no two of them have the same field and operator.
    """
    root = parse_expression(long)
    parts = root.parts if isinstance(root, All) else [root]
    comparisons = [part for part in parts if isinstance(part, Comparison) and not is_participant_attribute(part.field)]
    questions = {(comparison.field, comparison.operator) for comparison in comparisons}
    return _as_filter(comparisons) if len(questions) == len(parts) else None


def _as_filter(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    wanted: dict[str, dict[str, Any]] = {}
    for comparison in comparisons:
        wanted.setdefault(comparison.field, {})[comparison.operator] = comparison.value
    return {field: operators["eq"] if set(operators) == {"eq"} else operators for field, operators in wanted.items()}


def condition_results(
    expression: CompiledExpression | None, properties: Values, attributes: Values
) -> list[dict[str, Any]]:
    """Return every condition of an expression with what it found, in order; an empty list if there is no expression.

    Each is `{"field", "operator", "expected", "actual", "holds"}`. `actual` is missing if the field is. Long values are
    shortened.
    """
    if expression is None:
        return []
    return [
        _result(comparison, read(properties, attributes), matches(properties, attributes))
        for comparison, read, matches in expression.conditions
    ]


def _comparisons(node: Node) -> Iterator[Comparison]:
    if isinstance(node, Comparison):
        yield node
        return
    for part in [node.part] if isinstance(node, Not) else node.parts:
        yield from _comparisons(part)


def _result(comparison: Comparison, actual: Any, holds: bool) -> dict[str, Any]:  # noqa: FBT001 - callers pass positions
    condition = {"field": comparison.field, "operator": comparison.operator, "expected": _shorten(comparison.value)}
    found = {} if actual is MISSING else {"actual": _shorten(actual)}
    return {**condition, **found, "holds": holds}


def _shorten(value: Any) -> Any:
    """Return `value`, or the beginning of its JSON if it is too long for a trace."""
    if isinstance(value, int | float | None) or (isinstance(value, str) and len(value) <= MAX_SHOWN):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _compile(root: Node) -> CompiledExpression:
    return CompiledExpression(root, _matches(root))


def _matches(node: Node) -> Matches:
    if isinstance(node, Comparison):
        return _compile_comparison(node)
    if isinstance(node, Not):
        part = _matches(node.part)
        return lambda properties, attributes: not part(properties, attributes)
    parts = tuple(map(_matches, node.parts))
    if len(parts) == 1:
        return parts[0]
    return _all(parts) if isinstance(node, All) else _any(parts)


def _compile_comparison(comparison: Comparison) -> Matches:
    operator = OPERATORS[comparison.operator]
    test, holds_for_missing = operator.test(comparison.value), operator.holds_for_missing(comparison.value)
    if (name := plain_property_name(comparison.field)) is not None:
        return _compile_property(name, test, holds_for_missing=holds_for_missing)
    read = compile_path(comparison.field)

    def matches(properties: Values, attributes: Values) -> bool:
        actual = read(properties, attributes)
        return holds_for_missing if actual is MISSING else test(actual)

    return matches


def _compile_property(name: str, test: Callable[[Any], bool], *, holds_for_missing: bool) -> Matches:
    """Most definitions test a plain property. This needs half as many calls as the general case."""

    def matches(properties: Values, attributes: Values) -> bool:
        actual = properties.get(name, MISSING)
        return holds_for_missing if actual is MISSING else test(actual)

    return matches


def _all(parts: Sequence[Matches]) -> Matches:
    def matches(properties: Values, attributes: Values) -> bool:
        for part in parts:  # noqa: SIM110 - a loop costs half as much as `all` with a generator
            if not part(properties, attributes):
                return False
        return True

    return matches


def _any(parts: Sequence[Matches]) -> Matches:
    def matches(properties: Values, attributes: Values) -> bool:
        for part in parts:  # noqa: SIM110 - a loop costs half as much as `any` with a generator
            if part(properties, attributes):
                return True
        return False

    return matches
