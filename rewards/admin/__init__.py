"""Rewards in the console.

catalogue   definitions                          codes    adding codes to the stock, with a preview
stock       the codes of a reward (read-only)    claims   claims: read, fulfil, cancel
people      rewards on a participant's page
"""

from rewards.admin import catalogue, claims, codes, people, stock

__all__ = ["catalogue", "claims", "codes", "people", "stock"]
