"""Documents from outside become trees here, or are refused at the first thing wrong, before much of them is read."""

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
    """The long form. Raises MalformedExpression."""
    return _Parser().expression(document, path="", depth=1)


def parse_filter(document: object) -> Sequence[Comparison]:
    """The conditions of the short form, which must all hold. Raises MalformedExpression."""
    return _Parser().filter(document)


class _Parser:
    """Counts the parts of one document."""

    def __init__(self) -> None:
        self._parts_read = 0

    def expression(self, document: object, *, path: str, depth: int) -> Node:
        self._count(path)
        if depth > MAX_DEPTH:
            raise MalformedExpression(path, f"must not be nested deeper than {MAX_DEPTH} levels")
        kind, body = _only_entry(document, path)
        path = _join(path, kind)
        if kind == "condition":
            return _condition(body, path)
        if kind == "not":
            return Not(self.expression(body, path=path, depth=depth + 1))
        parts = self._parts(body, path=path, depth=depth + 1)
        return All(parts) if kind == "and" else AnyOf(parts)

    def _parts(self, body: object, *, path: str, depth: int) -> Sequence[Node]:
        if not isinstance(body, list) or not body:
            raise MalformedExpression(path, "must be a list of expressions, with one at least")
        return tuple(self.expression(part, path=_join(path, index), depth=depth) for index, part in enumerate(body))

    def filter(self, document: object) -> Sequence[Comparison]:
        if not isinstance(document, dict):
            raise MalformedExpression("", "must be an object of properties and what each must be")
        return tuple(condition for field, wanted in document.items() for condition in self._wanted(field, wanted))

    def _wanted(self, field: str, wanted: object) -> Sequence[Comparison]:
        """Operators with their values; a value alone must be equal."""
        path = field[:SHOWN_CHARACTERS]
        if is_participant_attribute(field):
            raise MalformedExpression(
                path, f"a filter asks of the event alone; for its property say {PROPERTIES}{path}"
            )
        if not isinstance(wanted, dict):
            return [self._filter_condition(Comparison(field, "eq", wanted), path=path, at=path)]
        if not wanted:
            raise MalformedExpression(path, "must name an operator and its value")
        return [
            self._filter_condition(Comparison(field, name, value), path=path, at=_join(path, name[:SHOWN_CHARACTERS]))
            for name, value in wanted.items()
        ]

    def _filter_condition(self, condition: Comparison, *, path: str, at: str) -> Comparison:
        self._count(path)
        return _checked(condition, field_at=path, operator_at=at, value_at=at)

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


def _condition(body: object, path: str) -> Comparison:
    _check_keys(body, ENTRIES, path)
    if not isinstance(body, dict) or set(body) != set(ENTRIES):
        raise MalformedExpression(path, f"must be an object with: {', '.join(ENTRIES)}")
    field_at, operator_at, value_at = (_join(path, name) for name in ENTRIES)
    return _checked(Comparison(**body), field_at=field_at, operator_at=operator_at, value_at=value_at)


def _checked(condition: Comparison, *, field_at: str, operator_at: str, value_at: str) -> Comparison:
    if problem := field_problem(condition.field):
        raise MalformedExpression(field_at, problem)
    if not isinstance(condition.operator, str):
        raise MalformedExpression(operator_at, f"must be one of: {', '.join(OPERATORS)}")
    if condition.operator not in OPERATORS:
        said = f"unknown operator {condition.operator[:SHOWN_CHARACTERS]!r}"
        raise MalformedExpression(operator_at, f"{said}; {suggestion(condition.operator, OPERATORS)}")
    if problem := OPERATORS[condition.operator].problem(condition.value):
        raise MalformedExpression(value_at, problem)
    return condition


def _join(path: str, name: str | int) -> str:
    return f"{path}.{name}" if path else str(name)
