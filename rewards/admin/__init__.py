"""Rewards in the console.

catalogue   definitions                                  codes    codes put into stock, after a look at them
stock       the codes of a reward, to read               claims   what was handed out: fulfilled, cancelled
people      rewards on a participant's page
"""

from rewards.admin import catalogue, claims, codes, people, stock

__all__ = ["catalogue", "claims", "codes", "people", "stock"]
