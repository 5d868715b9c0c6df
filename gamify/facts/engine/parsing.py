"""Parses documents of clients into trees. It stops at the first error, and at limits of depth and size."""

from collections.abc import Sequence

from gamify.facts.engine.fields import PROPERTIES, field_problem, is_participant_attribute
from gamify.facts.engine.operators import OPERATORS
from gamify.facts.engine.tree import All, AnyOf, Comparison, MalformedExpression, Node, Not
from participants.engine import SHOWN_CHARACTERS, suggestion, unknown_key_problem

MAX_DEPTH = 8
MAX_NODES = 64

KINDS = ("condition", "and", "or", "not")
ENTRIES = ("field", "operator", "value")


def parse_expression(document: object) -> Node:
    """Parse the long form. Raises: MalformedExpression."""
    return _Parser().expression(document, path="", depth=1)


def parse_filter(document: object) -> Sequence[Comparison]:
    """Parse the short form into its comparisons, which must all hold. Raises: MalformedExpression."""
    return _Parser().filter(document)


class _Parser:
    """Parses one document, and counts its parts to limit its size."""

    def __init__(self) -> None:
        self._parts_read = 0

    def expression(self, document: object, *, path: str, depth: int) -> Node:
        self._count(path)
        if depth > MAX_DEPTH:
            raise MalformedExpression(path, f"must not be nested deeper than {MAX_DEPTH} levels")
        kind, body = _only_entry(document, path)
        path = _join(path, kind)
        if kind == "condition":
            return _comparison(body, path)
        if kind == "not":
            return Not(self.expression(body, path=path, depth=depth + 1))
        parts = self._parts(body, path=path, depth=depth + 1)
        return All(parts) if kind == "and" else AnyOf(parts)

    def _parts(self, body: object, *, path: str, depth: int) -> Sequence[Node]:
        if not isinstance(body, list) or not body:
            raise MalformedExpression(path, "must be a list of at least one expression")
        return tuple(self.expression(part, path=_join(path, index), depth=depth) for index, part in enumerate(body))

    def filter(self, document: object) -> Sequence[Comparison]:
        if not isinstance(document, dict):
            raise MalformedExpression("", "must be an object of properties and their expected values")
        return tuple(condition for field, wanted in document.items() for condition in self._wanted(field, wanted))

    def _wanted(self, field: str, wanted: object) -> Sequence[Comparison]:
        """Read one entry of a filter: operators with their values, or a plain value, which stands for `eq`."""
        path = field[:SHOWN_CHARACTERS]
        if is_participant_attribute(field):
            raise MalformedExpression(
                path, f"a filter tests properties of the event only; to test this one, write {PROPERTIES}{path}"
            )
        if not isinstance(wanted, dict):
            return [self._filter_comparison(Comparison(field, "eq", wanted), path=path, at=path)]
        if not wanted:
            raise MalformedExpression(path, "must name an operator and its value")
        return [
            self._filter_comparison(Comparison(field, name, value), path=path, at=_join(path, name[:SHOWN_CHARACTERS]))
            for name, value in wanted.items()
        ]

    def _filter_comparison(self, comparison: Comparison, *, path: str, at: str) -> Comparison:
        self._count(path)
        return _checked(comparison, field_at=path, operator_at=at, value_at=at)

    def _count(self, path: str) -> None:
        self._parts_read += 1
        if self._parts_read > MAX_NODES:
            raise MalformedExpression(path, f"must not have more than {MAX_NODES} parts")


def _only_entry(document: object, path: str) -> tuple[str, object]:
    _check_keys(document, KINDS, path)
    if isinstance(document, dict) and len(document) == 1:
        kind, body = next(iter(document.items()))
        return kind, body
    raise MalformedExpression(path, f"must be an object with exactly one of: {', '.join(KINDS)}")


def _check_keys(document: object, known: Sequence[str], path: str) -> None:
    unknown = [key for key in document if key not in known] if isinstance(document, dict) else []
    if unknown:
        raise MalformedExpression(_join(path, unknown[0][:SHOWN_CHARACTERS]), unknown_key_problem(unknown[0], known))


def _comparison(body: object, path: str) -> Comparison:
    _check_keys(body, ENTRIES, path)
    if not isinstance(body, dict) or set(body) != set(ENTRIES):
        raise MalformedExpression(path, f"must be an object with: {', '.join(ENTRIES)}")
    field_at, operator_at, value_at = (_join(path, name) for name in ENTRIES)
    return _checked(Comparison(**body), field_at=field_at, operator_at=operator_at, value_at=value_at)


def _checked(comparison: Comparison, *, field_at: str, operator_at: str, value_at: str) -> Comparison:
    if problem := field_problem(comparison.field):
        raise MalformedExpression(field_at, problem)
    if not isinstance(comparison.operator, str):
        raise MalformedExpression(operator_at, f"must be one of: {', '.join(OPERATORS)}")
    if comparison.operator not in OPERATORS:
        unknown = f"unknown operator {comparison.operator[:SHOWN_CHARACTERS]!r}"
        raise MalformedExpression(operator_at, f"{unknown}; {suggestion(comparison.operator, OPERATORS)}")
    if problem := OPERATORS[comparison.operator].problem(comparison.value):
        raise MalformedExpression(value_at, problem)
    return comparison


def _join(path: str, name: str | int) -> str:
    return f"{path}.{name}" if path else str(name)
