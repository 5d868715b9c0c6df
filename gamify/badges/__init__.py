"""Badges: what can be earned once, and who has earned it."""
