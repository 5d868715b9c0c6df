"""Defines rules, fires them, and reverses firings."""

from gamify.rules.services.definitions import NOUN, RuleNotFound, create_rule, update_rule, with_changes

__all__ = [
    "NOUN",
    "RuleNotFound",
    "create_rule",
    "update_rule",
    "with_changes",
]
