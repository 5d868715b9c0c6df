"""What claims, codes, stock and the ledger must say of each other (contract §13)."""

from participants.auditing import audits
from rewards.audits.claims import CLAIMS
from rewards.audits.mentions import ANSWERS, EVENTS
from rewards.audits.stock import STOCK


def register() -> None:
    """Called once the apps are loaded."""
    audits.register("claims", CLAIMS)
    audits.register("stock", STOCK)
    audits.register("claims answered", ANSWERS)
    audits.register("claims told", EVENTS)
