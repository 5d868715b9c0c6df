"""Tier levels."""
