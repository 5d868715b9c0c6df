"""What tiers register with the layers below."""

from gamify.tiers.models import TierChange
from gamify.tiers.selectors import CATALOG_PART, load_ladder
from participants import events
from participants.catalog import catalog_parts
from participants.models import Participant
from participants.services.participants import Eraser, erasers


def _delete_changes(participant: Participant) -> None:
    TierChange.objects.of(participant).delete()


def _clear_reasons(participant: Participant) -> None:
    """Anonymising keeps where they stood and when, but not what was written beside it."""
    TierChange.objects.of(participant).update(reason=None)


def register() -> None:
    """Called once the apps are loaded."""
    catalog_parts.register(CATALOG_PART, load_ladder)
    erasers.register("tier changes", Eraser(delete=_delete_changes, anonymize=_clear_reasons))
    tier = {"tier": "The tier: its code, name and level."}
    upgraded = {
        "code": "Code of the tier.",
        "name": "Its name.",
        "level": "Its level.",
        "previous_code": "Code of the tier before, or null.",
        "previous_level": "Level of the tier before, or null.",
    }
    assigned = {
        **tier,
        "previous_tier": "The tier before, or null; the same one where it was given anew.",
        "reason": "Text given with the request, or null.",
    }
    events.register("tier.entered", "The tier that everyone begins in was entered with the first award.", tier)
    events.register("tier.upgraded", "An award led into a higher tier.", upgraded)
    events.register("tier.assigned", "A tier was given by hand.", assigned)
