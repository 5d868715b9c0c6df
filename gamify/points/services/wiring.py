"""What points register with the layers below."""

from gamify.facts.services import metrics, own_number
from gamify.points.models import LedgerEntry
from participants import events
from participants.models import Participant
from participants.services.participants import Eraser, erasers


def _delete_entries(participant: Participant) -> None:
    LedgerEntry.objects.of(participant).delete()


def _clear_words(participant: Participant) -> None:
    """Anonymising keeps every entry and its sums, but not what was written beside them."""
    LedgerEntry.objects.of(participant).update(reason=None, metadata={})


def register() -> None:
    """Called once the apps are loaded."""
    erasers.register("points", Eraser(delete=_delete_entries, anonymize=_clear_words))
    moved = {
        "transaction_id": "Id of the ledger entry.",
        "amount": "Points moved, positive.",
        "new_balance": "Balance after it.",
        "reason": "Text given with the request, or null.",
        "metadata": "Object given with the request.",
    }
    events.register("points.awarded", "Points were credited.", moved)
    events.register("points.deducted", "Points were spent.", moved)
    events.register("points.refunded", "Points that were spent came back.", moved)
    metrics.register("total_earned", own_number("total_earned", changed_by=["points.awarded"]))
    metrics.register("balance", own_number("balance", changed_by=["points.awarded"]))
