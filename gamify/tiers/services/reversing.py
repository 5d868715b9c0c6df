"""Reversal of an event: a tier that it led to stays, and the answer reports it."""

from collections.abc import Iterator

from gamify.facts.engine.outcomes import UndoNote
from gamify.facts.models import Event
from gamify.facts.services import Undone
from participants.models import Participant
from participants.work import UnitOfWork

DOMAIN = "tiers"
TIER_STAYS = "A reversal does not lower the tier; assign another tier by hand if needed"


def undo_note_for(code: str, name: str) -> UndoNote:
    """The undo note of an event that led to a tier."""
    return UndoNote(DOMAIN, {"code": code, "name": name})


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Report the tiers that the event led to, and change nothing: losing points never demotes (docs/contract.md §7)."""
    for note in event.undo_notes_of(DOMAIN):
        yield Undone(type="tier", name=note["name"], code=note["code"], obstacle=TIER_STAYS)
