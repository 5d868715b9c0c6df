"""What badges register with the layers below."""

from gamify.badges.models import BadgeAward, BadgeProgress
from gamify.badges.selectors import CATALOG_PART, load_badges
from gamify.badges.services.metrics import register as register_metrics
from gamify.badges.services.reversing import undo
from gamify.facts.services import undoers
from participants import events
from participants.catalog import catalog_parts
from participants.events import INSTANT, OBJECT, TEXT, EventField
from participants.models import Participant
from participants.services.participants import Eraser, erasers


def _delete_awards(participant: Participant) -> None:
    BadgeAward.objects.of(participant).delete()


def _delete_progress(participant: Participant) -> None:
    BadgeProgress.objects.filter(tenant_id=participant.tenant_id, participant_id=participant.pk).delete()


def _keep_progress(participant: Participant) -> None:
    """It says nothing about a person."""


def _clear_metadata(participant: Participant) -> None:
    """Anonymising keeps what was earned, but not what was written beside it."""
    BadgeAward.objects.of(participant).update(metadata={})


def register() -> None:
    """Called once the apps are loaded."""
    catalog_parts.register(CATALOG_PART, load_badges)
    erasers.register("badge progress", Eraser(delete=_delete_progress, anonymize=_keep_progress))
    register_metrics()
    erasers.register("badges", Eraser(delete=_delete_awards, anonymize=_clear_metadata))
    undoers.register("badges", undo)
    badge = {
        "badge_code": EventField(TEXT, "Code of the badge."),
        "badge_name": EventField(TEXT, "Its name."),
        "icon": EventField(TEXT, "Address of its picture, or null.", nullable=True),
        "rarity": EventField(TEXT, "common, uncommon, rare, epic or legendary."),
    }
    given = badge | {"metadata": EventField(OBJECT, "Object given with the request.")}
    events.register("badge.awarded", "A badge was earned.", given)
    revoked = "A badge was taken back with the event that it came of."
    events.register(
        "badge.revoked", revoked, badge | {"earned_at": EventField(INSTANT, "When it was earned.")}, is_reversal=True
    )
