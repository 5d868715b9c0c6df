"""Badges: achievements that a participant can earn once."""
