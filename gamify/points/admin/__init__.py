"""Console screens of points: the ledger, a participant's balance, and boosts."""

from gamify.points.admin import boosts, ledger, people

__all__ = ["boosts", "ledger", "people"]
