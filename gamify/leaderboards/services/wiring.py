"""Registers leaderboards with the registries of the layers below."""

from gamify.facts.services import undoers
from gamify.leaderboards.models import LargeSum
from gamify.leaderboards.selectors.catalog import boards_in
from gamify.leaderboards.selectors.personal_export import TABLES
from gamify.leaderboards.services.scoring import note_score_changes, undo
from participants.services.participants import Eraser, delete_rows, erasers
from participants.work import before_flush


def register() -> None:
    """Called once the apps are loaded."""
    boards_in.register()
    undoers.register("leaderboards", undo)
    before_flush.register("leaderboards", note_score_changes)
    # The fold of `participant.deleted` removes scores together with their ranges. Anonymizing keeps scores, which contain no
    # personal data and are hidden. Large sums go in both cases, because the amounts of events are cleared too.
    erasers.register("scores", Eraser(TABLES, delete=delete_rows(LargeSum), anonymize=delete_rows(LargeSum)))
