"""Finds expressions that can never hold, whatever the event and its participant are.

Every expression that is found is impossible. Some impossible ones are not found, because the parts of an `or` are examined one
at a time.

A field is tested with values that represent all possible ones: those named in the expression, one between any two of them, one
beyond them on either side, one of every other type, and no value at all.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gamify.facts.engine.fields import MISSING, PROPERTIES
from gamify.facts.engine.operators import OPERATORS
from gamify.facts.engine.tree import All, AnyOf, Comparison, Node, Not

MAX_TRIED = 1_000
ORDERED = ("gt", "gte", "lt", "lte")


@dataclass(frozen=True)
class _Claim:
    """The statement that a comparison holds or, if negated, that it does not hold."""

    comparison: Comparison
    is_negated: bool

    @property
    def field(self) -> str:
        return self.comparison.field.removeprefix(PROPERTIES)

    def test(self) -> Callable[[Any], bool]:
        operator, wanted = OPERATORS[self.comparison.operator], self.comparison.value
        test, holds_for_missing = operator.test(wanted), operator.holds_for_missing(wanted)
        return lambda value: (holds_for_missing if value is MISSING else test(value)) is not self.is_negated


_Branch = tuple[Node, bool]
_Choice = Sequence[_Branch]


def is_impossible(root: Node, *facts: Comparison) -> bool:
    """Whether `root` can never hold while all of `facts` hold."""
    return _is_impossible(root, is_negated=False, known=tuple(_Claim(fact, is_negated=False) for fact in facts))


def _is_impossible(node: Node, *, is_negated: bool, known: tuple[_Claim, ...]) -> bool:
    claims: list[_Claim] = []
    choices: list[_Choice] = []
    _take_apart(node, is_negated, claims, choices)
    known = (*known, *claims)
    return _contradict(known) or any(_is_impossible_choice(choice, known) for choice in choices)


def _is_impossible_choice(choice: _Choice, known: tuple[_Claim, ...]) -> bool:
    return all(_is_impossible(part, is_negated=is_negated, known=known) for part, is_negated in choice)


def _take_apart(node: Node, is_negated: bool, claims: list[_Claim], choices: list[_Choice]) -> None:  # noqa: FBT001 - callers pass positions
    """Collect the claims that must all hold, and the choices, of each of which one branch must hold."""
    if isinstance(node, Comparison):
        claims.append(_Claim(node, is_negated))
    elif isinstance(node, Not):
        _take_apart(node.part, not is_negated, claims, choices)
    elif isinstance(node, AnyOf if is_negated else All):
        for part in node.parts:
            _take_apart(part, is_negated, claims, choices)
    else:
        choices.append([(part, is_negated) for part in node.parts])


def _contradict(claims: Iterable[_Claim]) -> bool:
    by_field: defaultdict[str, list[_Claim]] = defaultdict(list)
    for claim in claims:
        by_field[claim.field].append(claim)
    return not all(map(_may_all_hold, by_field.values()))


def _may_all_hold(claims: Sequence[_Claim]) -> bool:
    """Whether some value satisfies all claims about one field. True if too many values would have to be tried."""
    values = [value for claim in claims for value in _named_values(claim.comparison)]
    if len(values) > MAX_TRIED or _cannot_be_tried(claims):
        return True
    tests = [claim.test() for claim in claims]
    return any(all(test(value) for test in tests) for value in _values_to_try(claims, values))


def _cannot_be_tried(claims: Iterable[_Claim]) -> bool:
    """Whether testing values is not enough, because a text must contain one text and also come before or after another."""
    texts = [claim.comparison for claim in claims if isinstance(claim.comparison.value, str)]
    operators = {comparison.operator for comparison in texts}
    return "contains" in operators and not operators.isdisjoint(ORDERED)


def _named_values(comparison: Comparison) -> Sequence[Any]:
    return comparison.value if isinstance(comparison.value, list) else [comparison.value]


def _values_to_try(claims: Sequence[_Claim], values: Sequence[Any]) -> Iterator[Any]:
    yield from (MISSING, None, True, False, {}, [])
    yield from _numbers({value for value in values if type(value) in (int, float)})
    yield from _texts({value for value in values if type(value) is str})
    contained = [claim.comparison.value for claim in claims if claim.comparison.operator == "contains"]
    required = [claim.comparison.value for claim in claims if _requires_content(claim)]
    yield from (contained, required, "".join(value for value in required if type(value) is str))


def _requires_content(claim: _Claim) -> bool:
    return claim.comparison.operator == "contains" and not claim.is_negated


def _numbers(named: set[Any]) -> Iterator[Any]:
    in_order = sorted(named) or [0]
    yield from in_order
    yield from (low / 2 + high / 2 for low, high in pairwise(in_order))
    yield from (in_order[0] - abs(in_order[0]) - 1, in_order[-1] + abs(in_order[-1]) + 1)


def _texts(named: set[str]) -> Iterator[str]:
    """Yield the smallest text, one after all others, each named text, and the text that directly follows it."""
    yield from ("", "\U0010ffff" * 2, *named)
    yield from (f"{text}\0" for text in named)
