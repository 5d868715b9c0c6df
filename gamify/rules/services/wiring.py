"""Registers what rules provide to the layers below."""

from gamify.facts.services import undoers
from gamify.rules.models import RuleTally
from gamify.rules.selectors.catalog import rules_in
from gamify.rules.services.reversing import undo
from participants.services.participants import Eraser, delete_rows, erasers, keep_rows
from participants.services.personal_data import PersonalTable


def register() -> None:
    """Called when the apps are loaded."""
    rules_in.register()
    undoers.register("rules", undo)
    tables = {"rule_limits": PersonalTable(RuleTally, "How often rules with limits have fired for them.")}
    erasers.register("rule tallies", Eraser(tables, delete=delete_rows(RuleTally), anonymize=keep_rows))
