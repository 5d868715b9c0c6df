"""Pure rules of the ledger: what a credit or a debit makes of a participant's totals, and how many points a grant is.

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
from participants.engine import MAX_BIGINT
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


def credited(totals: Totals, amount: int) -> Totals:
    """After earning `amount` > 0. Raises BalanceLimit where 64 bits do not hold it."""
    if totals.earned + amount > MAX_BIGINT:
        raise BalanceLimit
    return replace(totals, balance=totals.balance + amount, earned=totals.earned + amount)


def debited(totals: Totals, amount: int) -> Totals:
    """After spending `amount` > 0. Raises InsufficientPoints."""
    if amount > totals.balance:
        raise InsufficientPoints(available=totals.balance, requested=amount)
    return replace(totals, balance=totals.balance - amount, spent=totals.spent + amount)


def refunded(totals: Totals, amount: int) -> Totals:
    """After `amount` > 0 that was spent came back: it is not earned anew."""
    return replace(totals, balance=totals.balance + amount, spent=totals.spent - amount)


def expired(totals: Totals, amount: int) -> Totals:
    """After `amount` > 0 of what was not spent has expired: that is not spending, and was earned all the same."""
    return replace(totals, balance=totals.balance - amount, expired=totals.expired + amount)


def adjusted(totals: Totals, delta: int) -> Totals:
    """After what was earned is put right by `delta`, which is not 0. Raises BalanceLimit or InsufficientPoints."""
    if delta > 0:
        return credited(totals, delta)
    if -delta > totals.balance:
        raise InsufficientPoints(available=totals.balance, requested=-delta)
    return replace(totals, balance=totals.balance + delta, earned=totals.earned + delta)


def shares(rests: Sequence[int], amount: int) -> Sequence[int]:
    """What a debit of `amount` takes of each of the credits that expire, of which `rests` are left, those that expire first
    first. What they do not hold is taken of what does not expire.
    """
    taken = []
    for rest in rests:
        taken.append(min(rest, amount))
        amount -= taken[-1]
    return taken


# --- multipliers (contract §6) ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Boost:
    """A time in which awards are multiplied, `[starts_at, ends_at)`; None is no limit."""

    multiplier: Decimal
    starts_at: datetime | None
    ends_at: datetime | None

    def is_on(self, at: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)


def stacked(kinds: Iterable[Iterable[Decimal]]) -> Decimal | None:
    """How many times as much is credited: of each kind the highest counts, and these are multiplied with each other.

    At most MAX_MULTIPLIER, to four decimals; None where nothing multiplies.
    """
    product = math.prod((max(factors) for kind in kinds if (factors := tuple(kind))), start=Decimal(1))
    product = min(product, MAX_MULTIPLIER).quantize(_FOUR_DECIMALS, ROUND_HALF_UP)
    return None if product == 1 else product


def multiplied(amount: int, multiplier: Decimal) -> int:
    """`amount` so many times, halves rounded up, and at least 1."""
    return max(1, int((amount * multiplier).to_integral_value(ROUND_HALF_UP)))


# --- points that definitions grant (contract §11): so many, or by what the event has in a field --------------------------


class NothingToGive(GrantRefused):
    """What the event has in the field comes to no points."""

    code = "nothing_to_give"

    def __init__(self, field: str) -> None:
        super().__init__(f"{field}: comes to no points")


@dataclass(frozen=True)
class GrantedAmount:
    """How many points a grant is, 1 to MAX_AWARD, and how many it would be if there were no most."""

    points: int
    uncapped: int

    @property
    def is_capped(self) -> bool:
        return self.points < self.uncapped


def granted_amount(
    spec: Mapping[str, Any], properties: Mapping[str, Any], attributes: Mapping[str, Any]
) -> GrantedAmount:
    """How many points a grant that has no problem is. Raises NothingToGive.

    `{"amount": 10}`, or `{"field": "amount", "factor": 1.5, "rounding": "floor" | "round" | "ceil", "max": 500}`; decimal
    fractions are exact, halves are rounded up.
    """
    if "field" not in spec:
        return GrantedAmount(int(spec["amount"]), int(spec["amount"]))
    value = compile_path(spec["field"])(properties, attributes)
    amount = _rounded(value, spec) if _is_number(value) else 0
    if amount < MIN_AWARD:
        raise NothingToGive(spec["field"])
    return GrantedAmount(min(amount, spec.get("max") or MAX_AWARD), amount)


def _rounded(value: float, spec: Mapping[str, Any]) -> int:
    product = _EXACT.multiply(Decimal(str(value)), Decimal(str(spec.get("factor", 1))))
    return int(product.to_integral_value(ROUNDINGS[spec.get("rounding", "floor")], context=_EXACT))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def grant_problem(spec: Mapping[str, Any]) -> FieldError | None:
    """Why a definition may not grant these points, or None if it may."""
    if ("amount" in spec) == ("field" in spec):
        return FieldError("amount", "give either an amount or a field to take it from")
    return _amount_problem("amount", spec["amount"]) if "amount" in spec else _field_problem(spec)


def _field_problem(spec: Mapping[str, Any]) -> FieldError | None:
    factor = spec.get("factor", 1)
    if problem := field_problem(spec["field"]):
        return FieldError("field", problem)
    if not _is_number(factor) or not 0 < factor <= MAX_FACTOR:
        return FieldError("factor", f"must be a number above 0 and up to {MAX_FACTOR}")
    if spec.get("rounding", "floor") not in list(ROUNDINGS):  # what is no text has no hash to look it up by
        return FieldError("rounding", f"must be one of: {', '.join(ROUNDINGS)}")
    return None if spec.get("max") is None else _amount_problem("max", spec["max"])


def _amount_problem(field: str, amount: object) -> FieldError | None:
    is_whole = isinstance(amount, int) and not isinstance(amount, bool)
    if is_whole and MIN_AWARD <= amount <= MAX_AWARD:  # type: ignore[operator]  # it is whole
        return None
    return FieldError(field, f"must be a whole number from {MIN_AWARD} to {MAX_AWARD}")
