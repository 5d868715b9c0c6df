"""Reads of rules."""

from gamify.rules.selectors.catalog import CompiledRule, rules_in
from gamify.rules.selectors.linting import Finding, Level, findings, static_findings
from gamify.rules.selectors.replaying import ReplayReport, RuleReplay, replay

__all__ = [
    "CompiledRule",
    "Finding",
    "Level",
    "ReplayReport",
    "RuleReplay",
    "findings",
    "replay",
    "rules_in",
    "static_findings",
]
