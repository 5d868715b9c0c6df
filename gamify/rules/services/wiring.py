"""Registers what rules provide to the layers below."""

from gamify.facts.services import undoers
from gamify.rules.models import RuleTally
from gamify.rules.selectors.catalog import rules_in
from gamify.rules.services.reversing import undo
from participants.services.participants import Eraser, delete_rows, erasers, keep_rows


def register() -> None:
    """Called when the apps are loaded."""
    rules_in.register()
    undoers.register("rules", undo)
    erasers.register("rule tallies", Eraser(delete=delete_rows(RuleTally), anonymize=keep_rows))
