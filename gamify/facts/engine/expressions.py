"""The one language in which definitions say which events they mean (contract §11).

    {"condition": {"field": "amount", "operator": "gte", "value": 10}}
    {"and": [...]}   {"or": [...]}   {"not": {...}}

and its short form, the filter, of the event's properties alone, all of which must hold:

    {"plan": "pro", "amount": {"gte": 10}, "sku": {"in": ["a", "b"]}}

Both are read into one tree (`tree`), which is compiled to closures once. A field that is missing fails every operator
but `ne` and `nin`, which it passes, and `exists` false. What a path finds is told in `fields`, what an operator asks in
`operators`.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gamify.facts.engine.fields import MISSING, Values, compile_path, is_participant_attribute, plain_property_name
from gamify.facts.engine.operators import OPERATORS
from gamify.facts.engine.parsing import parse_expression, parse_filter
from gamify.facts.engine.tree import All, Comparison, MalformedExpression, Node, Not
from participants.errors import FieldError

__all__ = [
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
    """`matches(properties, attributes)` says whether an event and its participant are meant; it never raises."""

    root: Node
    matches: Matches


def compile_expression(document: Document) -> CompiledExpression:
    """The long form, once for many events. Raises MalformedExpression."""
    return _compiled(parse_expression(document))


def compile_filter(document: Document) -> CompiledExpression:
    """The short form; an empty one matches everything. Raises MalformedExpression."""
    return _compiled(All(parse_filter(document)))


def expression_problem(document: object) -> FieldError | None:
    """The first thing wrong with the long form, at a path such as `or.1.condition.operator`; None for a good one."""
    return _problem(parse_expression, document)


def filter_problem(document: object) -> FieldError | None:
    """The first thing wrong with the short form, at a path such as `amount.gte`; None for a good one."""
    return _problem(parse_filter, document)


def _problem(parse: Callable[[object], object], document: object) -> FieldError | None:
    try:
        parse(document)
    except MalformedExpression as malformed:
        return malformed.problem
    return None


def filter_as_expression(short: Document) -> dict[str, Any] | None:
    """The long form that means the same; None for an empty filter, which asks nothing. Raises MalformedExpression."""
    conditions = [_as_document(condition) for condition in parse_filter(short)]
    if len(conditions) > 1:
        return {"and": conditions}
    return conditions[0] if conditions else None


def _as_document(condition: Comparison) -> dict[str, Any]:
    return {"condition": {"field": condition.field, "operator": condition.operator, "value": condition.value}}


def expression_as_filter(long: Document) -> dict[str, Any] | None:
    """The short form that means the same; None where it cannot say it. Raises MalformedExpression.

    It says one condition, or several that must all hold, each another question about the event's properties.
    """
    root = parse_expression(long)
    parts = root.parts if isinstance(root, All) else [root]
    conditions = [part for part in parts if isinstance(part, Comparison) and not is_participant_attribute(part.field)]
    questions = {(condition.field, condition.operator) for condition in conditions}
    return _as_filter(conditions) if len(questions) == len(parts) else None


def _as_filter(conditions: Sequence[Comparison]) -> dict[str, Any]:
    wanted: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        wanted.setdefault(condition.field, {})[condition.operator] = condition.value
    return {field: operators["eq"] if set(operators) == {"eq"} else operators for field, operators in wanted.items()}


def condition_results(
    compiled: CompiledExpression | None, properties: Values, attributes: Values
) -> list[dict[str, Any]]:
    """Every condition of an expression with what it found, in order; none where there is no expression.

    `{"field", "operator", "expected", "actual", "holds"}`, without `actual` where there is nothing; long values are cut.
    """
    return [] if compiled is None else list(_judged(compiled.root, properties, attributes))


def _judged(node: Node, properties: Values, attributes: Values) -> Iterator[dict[str, Any]]:
    if isinstance(node, Comparison):
        yield _with_actual(
            node, compile_path(node.field)(properties, attributes), _condition(node)(properties, attributes)
        )
        return
    for part in [node.part] if isinstance(node, Not) else node.parts:
        yield from _judged(part, properties, attributes)


def _with_actual(condition: Comparison, actual: Any, holds: bool) -> dict[str, Any]:  # noqa: FBT001 - three in a row
    asked = {"field": condition.field, "operator": condition.operator, "expected": _shortened(condition.value)}
    found = {} if actual is MISSING else {"actual": _shortened(actual)}
    return {**asked, **found, "holds": holds}


def _shortened(value: Any) -> Any:
    """What a trace has room for: a long value as the beginning of its JSON."""
    if isinstance(value, int | float | None) or (isinstance(value, str) and len(value) <= MAX_SHOWN):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _compiled(root: Node) -> CompiledExpression:
    return CompiledExpression(root, _matches(root))


def _matches(node: Node) -> Matches:
    if isinstance(node, Comparison):
        return _condition(node)
    if isinstance(node, Not):
        part = _matches(node.part)
        return lambda properties, attributes: not part(properties, attributes)
    parts = tuple(map(_matches, node.parts))
    if len(parts) == 1:
        return parts[0]
    return _all(parts) if isinstance(node, All) else _any(parts)


def _condition(condition: Comparison) -> Matches:
    operator = OPERATORS[condition.operator]
    test, holds_for_missing = operator.test(condition.value), operator.holds_for_missing(condition.value)
    if (name := plain_property_name(condition.field)) is not None:
        return _of_property(name, test, holds_for_missing=holds_for_missing)
    read = compile_path(condition.field)

    def matches(properties: Values, attributes: Values) -> bool:
        actual = read(properties, attributes)
        return holds_for_missing if actual is MISSING else test(actual)

    return matches


def _of_property(name: str, test: Callable[[Any], bool], *, holds_for_missing: bool) -> Matches:
    """What most definitions ask, in half the calls."""

    def matches(properties: Values, attributes: Values) -> bool:
        actual = properties.get(name, MISSING)
        return holds_for_missing if actual is MISSING else test(actual)

    return matches


def _all(parts: Sequence[Matches]) -> Matches:
    def matches(properties: Values, attributes: Values) -> bool:
        for part in parts:  # noqa: SIM110 - a loop costs half of what `all` with a generator does
            if not part(properties, attributes):
                return False
        return True

    return matches


def _any(parts: Sequence[Matches]) -> Matches:
    def matches(properties: Values, attributes: Values) -> bool:
        for part in parts:  # noqa: SIM110 - as above
            if part(properties, attributes):
                return True
        return False

    return matches
