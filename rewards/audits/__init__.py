"""Audits of rewards: whether claims, codes, stock and the ledger agree (docs/contract.md §13)."""

from participants.auditing import audits
from rewards.audits.claims import CLAIMS
from rewards.audits.mentions import ANSWERS, EVENTS
from rewards.audits.stock import STOCK


def register() -> None:
    """Called when the apps are loaded."""
    audits.register("claims", CLAIMS)
    audits.register("stock", STOCK)
    audits.register("claims answered", ANSWERS)
    audits.register("claims told", EVENTS)
