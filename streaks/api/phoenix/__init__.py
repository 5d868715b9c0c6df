"""Streaks over HTTP, in the Phoenix dialect: definitions through the admin gateway, progress through the query gateway."""
