"""Conditions of streaks (docs/contract.md §10) and challenges (docs/contract.md §12).

A condition asks for a number of ticks, a sum of a field, or a number of distinct values of a field.

Sums are exact to nine decimals and never decrease, so that neither the order of ticks nor binary fractions decide whether a condition
is met. A value that is not a finite number above zero adds nothing.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any

MAX_DISTINCT = 100
MAX_VALUE = 200

EXACT = Context(prec=400)
"""Enough digits for any sum of numbers that JSON can hold."""

_SMALLEST = Decimal("1e-9")


class ConditionKind(StrEnum):
    COUNT = "count"
    SUM = "sum"
    DISTINCT = "distinct"


@dataclass(frozen=True)
class Condition:
    """`field` is the dotted path of the values that are added up or compared; None for a count."""

    kind: ConditionKind = ConditionKind.COUNT
    minimum: Decimal = Decimal(1)
    field: str | None = None

    @property
    def is_any_tick(self) -> bool:
        """Whether one tick is enough. No progress needs to be stored then."""
        return self.kind is ConditionKind.COUNT and self.minimum <= 1

    @property
    def needs_events(self) -> bool:
        """Whether only ticks with the properties of an event can advance it."""
        return self.kind is not ConditionKind.COUNT


ANY_TICK = Condition()


@dataclass(frozen=True)
class Progress:
    """What a number of ticks add up to. `distinct` are the values as they arrived, sorted by their JSON."""

    count: int = 0
    total: Decimal = Decimal(0)
    distinct: Sequence[Any] = ()

    def satisfies(self, condition: Condition) -> bool:
        reached: dict[ConditionKind, Decimal | int] = {
            ConditionKind.COUNT: self.count,
            ConditionKind.SUM: self.total,
            ConditionKind.DISTINCT: len(self.distinct),
        }
        return reached[condition.kind] >= condition.minimum

    @classmethod
    def from_stored(cls, count: int, total: str, distinct: Sequence[Any]) -> "Progress":
        """Read what `to_stored` returned."""
        return cls(count, Decimal(total), tuple(distinct))

    def to_stored(self) -> list[Any]:
        """Return it as JSON: `[count, sum, [values]]`."""
        return [self.count, str(self.total), list(self.distinct)]


NO_PROGRESS = Progress()


def progress_after(progress: Progress, condition: Condition, value: Any) -> Progress:
    """Return `progress` after one more tick. `value` is what the tick has in the field of the condition; None if it has nothing."""
    total, distinct = progress.total, progress.distinct
    if condition.kind is ConditionKind.SUM:
        total = EXACT.add(total, amount_of(value))
    if condition.kind is ConditionKind.DISTINCT:
        distinct = _with_value(distinct, value)
    return Progress(progress.count + 1, total, distinct)


def value_to_store(condition: Condition, value: Any) -> Any:
    """Return the part of `value` that advances `condition` in the same way when the tick is counted again; None if it adds nothing."""
    if condition.kind is ConditionKind.SUM:
        return value if amount_of(value) else None
    is_comparable = condition.kind is ConditionKind.DISTINCT and not isinstance(value, dict | list)
    return _shorten(value) if is_comparable else None


def amount_of(value: Any) -> Decimal:
    """Return what `value` adds to a sum: itself, exact to nine decimals, or 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value <= 0:
        return Decimal(0)
    return Decimal(str(value)).quantize(_SMALLEST, context=EXACT)


def _with_value(values: Sequence[Any], value: Any) -> Sequence[Any]:
    if value is None or isinstance(value, dict | list) or len(values) >= MAX_DISTINCT:
        return values
    value = _shorten(value)
    if any(_is_same(value, other) for other in values):
        return values
    return tuple(sorted((*values, value), key=json.dumps))


def _shorten(value: Any) -> Any:
    """Replace a long text by its digest, which is as distinct as the text."""
    if isinstance(value, str) and len(value) > MAX_VALUE:
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return value


def anonymize_stored(stored: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Return stored progress (by any key) without data of the client: as many distinct values, all different."""
    return {
        key: [count, total, [f"anonymized {number}" for number, _ in enumerate(values)]]
        for key, (count, total, values) in stored.items()
    }


def _is_same(one: Any, other: Any) -> bool:
    """True and 1 are different; 1 and 1.0 are the same."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
