"""An event is undone: the tier that it led into stays, and that is told."""

from collections.abc import Iterator

from gamify.facts.engine.outcomes import UndoNote
from gamify.facts.models import Event
from gamify.facts.services import Undone
from participants.models import Participant
from participants.work import UnitOfWork

DOMAIN = "tiers"
TIER_STAYS = "Who has come into a tier is not lowered; assign another by hand"


def undo_note_for(code: str, name: str) -> UndoNote:
    """What an event bears that led into a tier."""
    return UndoNote(DOMAIN, {"code": code, "name": name})


def undo(work: UnitOfWork, participant: Participant, event: Event) -> Iterator[Undone]:
    """Taking points away never demotes (contract §7), whoever takes them; people do."""
    for mark in event.undo_notes_of(DOMAIN):
        yield Undone(type="tier", name=mark["name"], code=mark["code"], kept=TIER_STAYS)
