"""Defines rules, fires them, and reverses firings."""

from gamify.rules.services.definitions import NOUN, RuleNotFound, create_rule, update_rule
from gamify.rules.services.firing import fire, loads_for
from gamify.rules.services.wiring import register

__all__ = [
    "NOUN",
    "RuleNotFound",
    "create_rule",
    "fire",
    "loads_for",
    "register",
    "update_rule",
]
