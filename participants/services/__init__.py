"""Writes of the bottom layer, a topic per module."""
