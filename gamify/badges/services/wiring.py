"""Registrations of badges in the registries of lower layers."""

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
    BadgeProgress.objects.of(participant).delete()


def _keep_progress(participant: Participant) -> None:
    """Progress contains no personal data."""


def _clear_metadata(participant: Participant) -> None:
    """Anonymising a participant keeps their badges but clears the metadata."""
    BadgeAward.objects.of(participant).update(metadata={})


def register() -> None:
    """Called when the apps are loaded."""
    catalog_parts.register(CATALOG_PART, load_badges)
    erasers.register("badge progress", Eraser(delete=_delete_progress, anonymize=_keep_progress))
    register_metrics()
    erasers.register("badges", Eraser(delete=_delete_awards, anonymize=_clear_metadata))
    undoers.register("badges", undo)
    badge = {
        "badge_code": EventField(TEXT, "Code of the badge."),
        "badge_name": EventField(TEXT, "Name of the badge."),
        "icon": EventField(TEXT, "Address of the picture, or null.", nullable=True),
        "rarity": EventField(TEXT, "common, uncommon, rare, epic or legendary."),
    }
    awarded = badge | {"metadata": EventField(OBJECT, "Metadata of the request.")}
    events.register("badge.awarded", "A badge was earned.", awarded)
    revoked = "A badge was revoked because the event that earned it was reversed."
    events.register(
        "badge.revoked", revoked, badge | {"earned_at": EventField(INSTANT, "When it was earned.")}, is_reversal=True
    )
