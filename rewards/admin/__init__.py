"""Rewards in the console.

catalogue   definitions, and codes put into stock        claims   what was handed out: fulfilled, cancelled
people      rewards on a participant's page
"""

from rewards.admin import catalogue, claims, people

__all__ = ["catalogue", "claims", "people"]
