"""Pure rules of the ledger: what a credit or a debit makes of a participant's totals.

All amounts are integers, in points. Totals always satisfy `balance = earned - spent - expired` and `balance >= 0`.
"""

from dataclasses import dataclass, replace

from participants.engine import MAX_BIGINT
from participants.errors import DomainError


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
