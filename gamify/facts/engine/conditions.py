"""When enough has happened: so many ticks, a sum of a field, or so many distinct values of it (contract §10, §12).

Sums are exact to nine decimals and never shrink, so that neither the order of ticks nor binary fractions decide whether a
condition is met: what is no finite number above zero adds nothing.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any

MAX_DISTINCT = 100
MAX_VALUE = 200

EXACT = Context(prec=400)
"""Loses no digit of any sum of numbers that JSON can hold."""

_SMALLEST = Decimal("1e-9")


class ConditionKind(StrEnum):
    COUNT = "count"
    SUM = "sum"
    DISTINCT = "distinct"


@dataclass(frozen=True)
class Condition:
    """`field` is the dotted path whose values are summed or told apart; None for a count."""

    kind: ConditionKind = ConditionKind.COUNT
    minimum: Decimal = Decimal(1)
    field: str | None = None

    @property
    def is_any_tick(self) -> bool:
        """Whether one tick is enough, so that nothing need be kept where there was none."""
        return self.kind is ConditionKind.COUNT and self.minimum <= 1

    @property
    def needs_events(self) -> bool:
        """Whether a tick without an event's properties could not advance it."""
        return self.kind is not ConditionKind.COUNT


ANY_TICK = Condition()


@dataclass(frozen=True)
class Progress:
    """What ticks come to. `distinct` are values as they came, sorted as JSON."""

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


NO_PROGRESS = Progress()


def progress_after(progress: Progress, condition: Condition, value: Any) -> Progress:
    """`progress` after one more tick; `value` is what the tick has in the condition's field, None for nothing."""
    total, distinct = progress.total, progress.distinct
    if condition.kind is ConditionKind.SUM:
        total = EXACT.add(total, amount_of(value))
    if condition.kind is ConditionKind.DISTINCT:
        distinct = _with_value(distinct, value)
    return Progress(progress.count + 1, total, distinct)


def value_to_store(condition: Condition, value: Any) -> Any:
    """What is to be kept of a value so that it advances `condition` once more as it did; None where it adds nothing to know."""
    if condition.kind is ConditionKind.SUM:
        return value if amount_of(value) else None
    is_told_apart = condition.kind is ConditionKind.DISTINCT and not isinstance(value, dict | list)
    return _shortened(value) if is_told_apart else None


def amount_of(value: Any) -> Decimal:
    """What a value adds to a sum: itself, exact to nine decimals, or nothing."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value <= 0:
        return Decimal(0)
    return Decimal(str(value)).quantize(_SMALLEST, context=EXACT)


def _with_value(values: Sequence[Any], value: Any) -> Sequence[Any]:
    if value is None or isinstance(value, dict | list) or len(values) >= MAX_DISTINCT:
        return values
    value = _shortened(value)
    if any(_is_same(value, other) for other in values):
        return values
    return tuple(sorted((*values, value), key=json.dumps))


def _shortened(value: Any) -> Any:
    """A long text is told apart by its digest."""
    if isinstance(value, str) and len(value) > MAX_VALUE:
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return value


def anonymized_values(values: Sequence[Any]) -> list[str]:
    """Stand-ins for distinct `values` of a participant who is anonymised: as many, all different, and none of a client's."""
    return [f"anonymized {number}" for number, _ in enumerate(values)]


def _is_same(one: Any, other: Any) -> bool:
    """True is not 1, and 1 is 1.0."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
