"""Reads of rules."""

from gamify.rules.selectors.catalog import CompiledRule, RuleCatalog, compiled, rules_in
from gamify.rules.selectors.linting import Finding, Level, findings, findings_by_reading
from gamify.rules.selectors.replaying import Replay, Replayed, replay

__all__ = [
    "CompiledRule",
    "Finding",
    "Level",
    "Replay",
    "Replayed",
    "RuleCatalog",
    "compiled",
    "findings",
    "findings_by_reading",
    "replay",
    "rules_in",
]
