"""What leaderboards register with the layers below."""

from gamify.facts.services import undoers
from gamify.leaderboards.models import LargeSum
from gamify.leaderboards.selectors.catalog import register as register_catalog
from gamify.leaderboards.services.scoring import note_score_changes, undo
from participants.models import Participant
from participants.services.participants import Eraser, erasers
from participants.work import before_flush


def _delete_later(participant: Participant) -> None:
    """Scores are taken off with the ranges that count them, by the fold that is told that the participant is gone."""
    _delete_sums(participant)


def _delete_sums(participant: Participant) -> None:
    LargeSum.objects.filter(tenant_id=participant.tenant_id, participant_id=participant.pk).delete()


def _keep_scores(participant: Participant) -> None:
    """They say nothing about a person, and are not shown any more. Large sums go: the amounts of events are cleared, too."""
    _delete_sums(participant)


def register() -> None:
    """Called once the apps are loaded."""
    register_catalog()
    undoers.register("leaderboards", undo)
    before_flush.register("leaderboards", note_score_changes)
    erasers.register("scores", Eraser(delete=_delete_later, anonymize=_keep_scores))
