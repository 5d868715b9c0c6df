"""Reads of rules."""

from gamify.rules.selectors.catalog import CompiledRule, RuleCatalog, compiled, rules_in
from gamify.rules.selectors.linting import Finding, Level, findings, findings_by_reading

__all__ = [
    "CompiledRule",
    "Finding",
    "Level",
    "RuleCatalog",
    "compiled",
    "findings",
    "findings_by_reading",
    "rules_in",
]
