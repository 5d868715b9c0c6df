"""Registers leaderboards with the registries of the layers below."""

from gamify.facts.services import undoers
from gamify.leaderboards.models import LargeSum
from gamify.leaderboards.selectors.catalog import register as register_catalog
from gamify.leaderboards.services.scoring import note_score_changes, undo
from participants.models import Participant
from participants.services.participants import Eraser, erasers
from participants.work import before_flush


def _delete_later(participant: Participant) -> None:
    """Delete large sums. Scores are removed together with their ranges, by the fold of `participant.deleted`."""
    _delete_sums(participant)


def _delete_sums(participant: Participant) -> None:
    LargeSum.objects.of(participant).delete()


def _keep_scores(participant: Participant) -> None:
    """Scores stay: they contain no personal data and are hidden. Large sums go, because the amounts of events are cleared too."""
    _delete_sums(participant)


def register() -> None:
    """Called once the apps are loaded."""
    register_catalog()
    undoers.register("leaderboards", undo)
    before_flush.register("leaderboards", note_score_changes)
    erasers.register("scores", Eraser(delete=_delete_later, anonymize=_keep_scores))
