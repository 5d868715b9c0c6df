"""Registers what rules provide to the layers below."""

from gamify.facts.services import undoers
from gamify.rules.models import RuleTally
from gamify.rules.selectors.catalog import register as register_catalog
from gamify.rules.services.reversing import undo
from participants.models import Participant
from participants.services.participants import Eraser, erasers


def _delete_tallies(participant: Participant) -> None:
    RuleTally.objects.of(participant).delete()


def _keep_tallies(participant: Participant) -> None:
    """Do nothing when a participant is anonymised: tallies contain no personal data."""


def register() -> None:
    """Called when the apps are loaded."""
    register_catalog()
    undoers.register("rules", undo)
    erasers.register("rule tallies", Eraser(delete=_delete_tallies, anonymize=_keep_tallies))
