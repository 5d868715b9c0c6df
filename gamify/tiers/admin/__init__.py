"""Tiers in the console: definitions, the ladder, the tier of a participant, and assignment by hand."""

from gamify.tiers.admin import people, tiers

__all__ = ["people", "tiers"]
