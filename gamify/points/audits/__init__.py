"""Audits of the ledger, and of stored answers and domain events that name its entries (docs/contract.md §6)."""

from gamify.points.audits.ledger import LEDGER
from gamify.points.audits.mentions import ANSWERS, EVENTS
from participants.auditing import audits


def register() -> None:
    """Called by `AppConfig.ready`."""
    audits.register("ledger", LEDGER)
    audits.register("points answered", ANSWERS)
    audits.register("points told", EVENTS)
