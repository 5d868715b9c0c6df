"""Expressions that can never hold, whatever an event and its participant are like.

What is found here is certain. What is not found may still be impossible: parts of an `or` are looked at one at a time.
A field is tried with values that between them stand for all there are: those that are named, one between any two of
them, one beyond them on either side, one of every other type, and none at all.
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
    """That a condition holds, or that it does not."""

    condition: Comparison
    is_negated: bool

    @property
    def field(self) -> str:
        return self.condition.field.removeprefix(PROPERTIES)

    def test(self) -> Callable[[Any], bool]:
        operator, wanted = OPERATORS[self.condition.operator], self.condition.value
        test, holds_for_missing = operator.test(wanted), operator.holds_for_missing(wanted)
        return lambda value: (holds_for_missing if value is MISSING else test(value)) is not self.is_negated


_Branch = tuple[Node, bool]
_Choice = Sequence[_Branch]


def is_impossible(root: Node, *facts: Comparison) -> bool:
    """Whether `root` can never hold where all of `facts` do."""
    return _is_impossible(root, is_negated=False, known=tuple(_Claim(fact, is_negated=False) for fact in facts))


def _is_impossible(node: Node, *, is_negated: bool, known: tuple[_Claim, ...]) -> bool:
    claims: list[_Claim] = []
    choices: list[_Choice] = []
    _take_apart(node, is_negated, claims, choices)
    known = (*known, *claims)
    return _contradict(known) or any(_has_no_way_out(choice, known) for choice in choices)


def _has_no_way_out(choice: _Choice, known: tuple[_Claim, ...]) -> bool:
    return all(_is_impossible(part, is_negated=is_negated, known=known) for part, is_negated in choice)


def _take_apart(node: Node, is_negated: bool, claims: list[_Claim], choices: list[_Choice]) -> None:  # noqa: FBT001 - a branch
    """What must hold all together, and the choices of which one must."""
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
    """Of claims about one field."""
    values = [value for claim in claims for value in _named(claim.condition)]
    if len(values) > MAX_TRIED or _is_beyond_trying(claims):
        return True
    tests = [claim.test() for claim in claims]
    return any(all(test(value) for test in tests) for value in _tried(claims, values))


def _is_beyond_trying(claims: Iterable[_Claim]) -> bool:
    """A text that contains something and comes before or after something else: none that is made up here stands for all."""
    texts = [claim.condition for claim in claims if isinstance(claim.condition.value, str)]
    operators = {condition.operator for condition in texts}
    return "contains" in operators and not operators.isdisjoint(ORDERED)


def _named(condition: Comparison) -> Sequence[Any]:
    return condition.value if isinstance(condition.value, list) else [condition.value]


def _tried(claims: Sequence[_Claim], values: Sequence[Any]) -> Iterator[Any]:
    yield from (MISSING, None, True, False, {}, [])
    yield from _numbers({value for value in values if type(value) in (int, float)})
    yield from _texts({value for value in values if type(value) is str})
    contained = [claim.condition.value for claim in claims if claim.condition.operator == "contains"]
    wanted = [claim.condition.value for claim in claims if _wants_inside(claim)]
    yield from (contained, wanted, "".join(value for value in wanted if type(value) is str))


def _wants_inside(claim: _Claim) -> bool:
    return claim.condition.operator == "contains" and not claim.is_negated


def _numbers(named: set[Any]) -> Iterator[Any]:
    in_order = sorted(named) or [0]
    yield from in_order
    yield from (low / 2 + high / 2 for low, high in pairwise(in_order))
    yield from (in_order[0] - abs(in_order[0]) - 1, in_order[-1] + abs(in_order[-1]) + 1)


def _texts(named: set[str]) -> Iterator[str]:
    """The first of all, the last of all, each, and what comes next after each."""
    yield from ("", "\U0010ffff" * 2, *named)
    yield from (f"{text}\0" for text in named)
