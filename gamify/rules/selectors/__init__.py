"""Reads of rules."""

from gamify.rules.selectors.catalog import CompiledRule, RuleCatalog, compiled, rules_in

__all__ = ["CompiledRule", "RuleCatalog", "compiled", "rules_in"]
