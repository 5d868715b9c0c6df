"""The operators of expressions. A test of a value returns true or false, and never raises.

Values of different types are unequal: a text is not a number, and true and false are not numbers. 1 equals 1.0.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_LIST = 100

Test = Callable[[Any], bool]

_NUMBERS = frozenset({int, float})
_TEXTS = frozenset({str})
_SCALARS = frozenset({str, int, float, bool, type(None)})


@dataclass(frozen=True)
class Operator:
    """One operator. `wanted` is the value in the condition.

    - `test(wanted)` compiles the test of a value.
    - `problem(wanted)` says why a condition cannot have this value; None if it can.
    - `holds_for_missing(wanted)` is the result if the field is missing.
    """

    test: Callable[[Any], Test]
    problem: Callable[[Any], str | None]
    holds_for_missing: Callable[[Any], bool] = lambda wanted: False


def _equal(wanted: Any) -> Test:
    if type(wanted) is bool:
        return lambda actual: actual is wanted
    return lambda actual: type(actual) is not bool and bool(actual == wanted)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    def test(wanted: Any) -> Test:
        comparable = _TEXTS if type(wanted) is str else _NUMBERS
        return lambda actual: type(actual) in comparable and compare(actual, wanted)

    return test


def _one_of(wanted: Sequence[Any]) -> Test:
    truths = frozenset(value for value in wanted if type(value) is bool)
    others = frozenset(
        value for value in wanted if type(value) is not bool
    )  # booleans are separate, because 1 == True in a set

    def test(actual: Any) -> bool:
        kind = type(actual)
        return actual in truths if kind is bool else kind in _SCALARS and actual in others

    return test


def _contains(wanted: Any) -> Test:
    is_wanted = _equal(wanted)

    def test(actual: Any) -> bool:
        if isinstance(actual, str):
            return isinstance(wanted, str) and wanted in actual
        return isinstance(actual, list) and any(map(is_wanted, actual))

    return test


def _exists(wanted: bool) -> Test:  # noqa: FBT001 - the value of the condition
    return lambda actual: wanted


def _not(test: Callable[[Any], Test]) -> Callable[[Any], Test]:
    def negated(wanted: Any) -> Test:
        holds = test(wanted)
        return lambda actual: not holds(actual)

    return negated


def _scalar_problem(wanted: object) -> str | None:
    return None if type(wanted) in _SCALARS else "must be text, a number, true, false or null"


def _comparable_problem(wanted: object) -> str | None:
    return None if type(wanted) in _NUMBERS | _TEXTS else "must be a number or text"


def _truth_problem(wanted: object) -> str | None:
    return None if type(wanted) is bool else "must be true or false"


def _list_problem(wanted: object) -> str | None:
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= MAX_LIST:
        return f"must be a list of 1 to {MAX_LIST} values"
    return None if all(type(value) in _SCALARS for value in wanted) else f"each value {_scalar_problem([])}"


def _always(wanted: Any) -> bool:
    return True


OPERATORS: Mapping[str, Operator] = {
    "eq": Operator(_equal, _scalar_problem),
    "ne": Operator(_not(_equal), _scalar_problem, _always),
    "gt": Operator(_ordered(operator.gt), _comparable_problem),
    "gte": Operator(_ordered(operator.ge), _comparable_problem),
    "lt": Operator(_ordered(operator.lt), _comparable_problem),
    "lte": Operator(_ordered(operator.le), _comparable_problem),
    "in": Operator(_one_of, _list_problem),
    "nin": Operator(_not(_one_of), _list_problem, _always),
    "contains": Operator(_contains, _scalar_problem),
    "exists": Operator(_exists, _truth_problem, operator.not_),
}
