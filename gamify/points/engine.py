"""Pure rules of the ledger: how an entry changes a participant's totals, and how many points a grant gives.

All amounts are integers, in points. Totals always satisfy `balance = earned - spent - expired` and `balance >= 0`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Any

from gamify.facts.engine.fields import compile_path, field_problem
from gamify.facts.engine.outcomes import GrantRefused
from participants.engine import MAX_BIGINT, is_in_period
from participants.errors import DomainError, FieldError

MIN_AWARD = 1
MAX_AWARD = 1_000_000
MAX_FACTOR = 1_000_000
MAX_MULTIPLIER = Decimal(1000)
ROUNDINGS = {"floor": ROUND_FLOOR, "round": ROUND_HALF_UP, "ceil": ROUND_CEILING}

_EXACT = Context(prec=400)
_FOUR_DECIMALS = Decimal("0.0001")


class InsufficientPoints(DomainError):
    code = "insufficient_points"

    def __init__(self, *, available: int, requested: int) -> None:
        super().__init__(f"Insufficient points. Available: {available}, requested: {requested}")
        self.available, self.requested = available, requested


class BalanceLimit(DomainError):
    code = "balance_limit"

    def __init__(self) -> None:
        super().__init__(f"Points ever earned would exceed {MAX_BIGINT}")


@dataclass(frozen=True)
class Totals:
    """A participant's running totals, in points."""

    balance: int = 0
    earned: int = 0
    spent: int = 0
    expired: int = 0


def after_credit(totals: Totals, amount: int) -> Totals:
    """The totals after the participant earned `amount` > 0.

    Raises: BalanceLimit if the points ever earned would not fit into 64 bits.
    """
    if totals.earned + amount > MAX_BIGINT:
        raise BalanceLimit
    return Totals(totals.balance + amount, totals.earned + amount, totals.spent, totals.expired)


def after_debit(totals: Totals, amount: int) -> Totals:
    """The totals after the participant spent `amount` > 0. Raises: InsufficientPoints."""
    if amount > totals.balance:
        raise InsufficientPoints(available=totals.balance, requested=amount)
    return Totals(totals.balance - amount, totals.earned, totals.spent + amount, totals.expired)


def after_refund(totals: Totals, amount: int) -> Totals:
    """The totals after `amount` > 0 spent points were refunded. A refund does not count as earned again."""
    return replace(totals, balance=totals.balance + amount, spent=totals.spent - amount)


def after_expiry(totals: Totals, amount: int) -> Totals:
    """The totals after `amount` > 0 unspent points expired. They do not count as spent, and stay in `earned`."""
    return replace(totals, balance=totals.balance - amount, expired=totals.expired + amount)


def after_adjustment(totals: Totals, delta: int) -> Totals:
    """The totals after the earned points were corrected by `delta` (not 0). Raises: BalanceLimit, InsufficientPoints."""
    if delta > 0:
        return after_credit(totals, delta)
    if -delta > totals.balance:
        raise InsufficientPoints(available=totals.balance, requested=-delta)
    return replace(totals, balance=totals.balance + delta, earned=totals.earned + delta)


def split_debit(rests: Sequence[int], amount: int) -> Sequence[int]:
    """How many points a debit of `amount` takes from each expiring credit.

    `rests` are the points left in each credit, the credit that expires first first. The answer has the same order and
    length. If its sum is below `amount`, the remainder comes from points that do not expire.
    """
    taken = []
    for rest in rests:
        taken.append(min(rest, amount))
        amount -= taken[-1]
    return taken


# --- multipliers (docs/contract.md §6) --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Boost:
    """A period `[starts_at, ends_at)` in which awards are multiplied. None means no limit on that side."""

    multiplier: Decimal
    starts_at: datetime | None
    ends_at: datetime | None

    def is_on(self, at: datetime) -> bool:
        return is_in_period(at, self.starts_at, self.ends_at)


def combined_multiplier(kinds: Iterable[Iterable[Decimal]]) -> Decimal | None:
    """The multiplier that applies in total: the highest of each kind, multiplied with each other.

    Answers at most MAX_MULTIPLIER, rounded to four decimals, or None if the product is 1.
    """
    highest = [max(factors) for kind in kinds if (factors := tuple(kind))]
    if not highest:
        return None
    product = math.prod(highest, start=Decimal(1))
    product = min(product, MAX_MULTIPLIER).quantize(_FOUR_DECIMALS, ROUND_HALF_UP)
    return None if product == 1 else product


def multiply(amount: int, multiplier: Decimal) -> int:
    """`amount` × `multiplier`, halves rounded up, and at least 1."""
    return max(1, int((amount * multiplier).to_integral_value(ROUND_HALF_UP)))


# --- points that definitions grant (docs/contract.md §11): a fixed amount, or one computed from a field of the event --


class NoPointsToGrant(GrantRefused):
    """The value of the event's field gives no points."""

    code = "nothing_to_give"

    def __init__(self, field: str) -> None:
        super().__init__(f"{field}: the value of this field gives less than {MIN_AWARD} point")


@dataclass(frozen=True)
class GrantedAmount:
    """How many points a grant gives (1 to MAX_AWARD), and how many it would give without a maximum."""

    points: int
    uncapped: int

    @property
    def is_capped(self) -> bool:
        return self.points < self.uncapped


def granted_amount(
    spec: Mapping[str, Any], properties: Mapping[str, Any], attributes: Mapping[str, Any]
) -> GrantedAmount:
    """How many points a grant gives. `spec` must have passed `grant_problem`.

    `spec` is `{"amount": 10}`, or `{"field": "amount", "factor": 1.5, "rounding": "floor" | "round" | "ceil", "max": 500}`.
    The field is looked up in the event's `properties` and the participant's `attributes`. Decimal fractions are
    multiplied exactly; `round` rounds halves up.

    Raises: NoPointsToGrant if the result is below MIN_AWARD, or the field holds no number.
    """
    if "field" not in spec:
        return GrantedAmount(int(spec["amount"]), int(spec["amount"]))
    value = compile_path(spec["field"])(properties, attributes)
    amount = _rounded(value, spec) if _is_number(value) else 0
    if amount < MIN_AWARD:
        raise NoPointsToGrant(spec["field"])
    return GrantedAmount(min(amount, spec.get("max") or MAX_AWARD), amount)


def _rounded(value: float, spec: Mapping[str, Any]) -> int:
    product = _EXACT.multiply(Decimal(str(value)), Decimal(str(spec.get("factor", 1))))
    return int(product.to_integral_value(ROUNDINGS[spec.get("rounding", "floor")], context=_EXACT))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def grant_problem(spec: Mapping[str, Any]) -> FieldError | None:
    """Why a definition may not grant these points, or None if it may."""
    if ("amount" in spec) == ("field" in spec):
        return FieldError("amount", "give either `amount` or `field`, and not both")
    return _amount_problem("amount", spec["amount"]) if "amount" in spec else _field_problem(spec)


def _field_problem(spec: Mapping[str, Any]) -> FieldError | None:
    factor = spec.get("factor", 1)
    if problem := field_problem(spec["field"]):
        return FieldError("field", problem)
    if not _is_number(factor) or not 0 < factor <= MAX_FACTOR:
        return FieldError("factor", f"must be a number above 0 and up to {MAX_FACTOR}")
    if spec.get("rounding", "floor") not in list(ROUNDINGS):  # a list, since JSON values may be unhashable
        return FieldError("rounding", f"must be one of: {', '.join(ROUNDINGS)}")
    return None if spec.get("max") is None else _amount_problem("max", spec["max"])


def _amount_problem(field: str, amount: object) -> FieldError | None:
    is_whole = isinstance(amount, int) and not isinstance(amount, bool)
    if is_whole and MIN_AWARD <= amount <= MAX_AWARD:  # type: ignore[operator]  # it is whole
        return None
    return FieldError(field, f"must be a whole number from {MIN_AWARD} to {MAX_AWARD}")
