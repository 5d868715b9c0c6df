"""Measurements, as ratios against a baseline of the same run: see README.md beside this file."""
