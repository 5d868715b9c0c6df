"""Writes of the bottom layer, one topic per module."""
