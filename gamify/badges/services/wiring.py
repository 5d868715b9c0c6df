"""Registrations of badges in the registries of lower layers."""

from typing import Any

from django.db.models import QuerySet

from gamify.badges.models import BadgeAward, BadgeProgress
from gamify.badges.selectors import badges_in
from gamify.badges.services.metrics import register as register_metrics
from gamify.badges.services.reversing import is_earned_by_criteria, undo
from gamify.badges.services.revoking import badges_to_check, take_back_badge
from gamify.facts.services import undoers
from participants import events
from participants.activity import ActivitySource, activity_sources
from participants.causes import CauseTable, cause_tables
from participants.events import INSTANT, OBJECT, TEXT, EventField
from participants.models import Tenant
from participants.services.participants import Eraser, delete_rows, erasers, keep_rows, update_rows
from participants.services.personal_data import PersonalTable


def register() -> None:
    """Called when the apps are loaded."""
    badges_in.register()
    progress = {"badge_progress": PersonalTable(BadgeProgress, "Progress towards badges that count events.")}
    erasers.register("badge progress", Eraser(progress, delete=delete_rows(BadgeProgress), anonymize=keep_rows))
    register_metrics()
    clear_metadata = update_rows(BadgeAward, metadata={}, request_id=None)
    awards = {"badges": PersonalTable(BadgeAward, "Badges that they have. Revocations are domain events.")}
    erasers.register("badges", Eraser(awards, delete=delete_rows(BadgeAward), anonymize=clear_metadata))
    undoers.register("badges", undo)
    cause_tables.register(
        "badge",
        CauseTable(
            BadgeAward,
            "earned_at",
            take_back_badge,
            comes_last=is_earned_by_criteria,
            dependents=badges_to_check,
        ),
    )
    activity_sources.register(
        "badges", ActivitySource(_awards_of, frozenset({"badge.awarded"}), _describe, is_late=True)
    )
    badge = {
        "badge_code": EventField(TEXT, "Code of the badge."),
        "badge_name": EventField(TEXT, "Name of the badge."),
        "icon": EventField(TEXT, "Address of the picture, or null.", nullable=True),
        "rarity": EventField(TEXT, "common, uncommon, rare, epic or legendary."),
    }
    awarded = badge | {"metadata": EventField(OBJECT, "Metadata of the request.")}
    events.register("badge.awarded", "A badge was earned.", awarded)
    revoked = "A badge was revoked, because what earned it was taken back."
    events.register(
        "badge.revoked", revoked, badge | {"earned_at": EventField(INSTANT, "When it was earned.")}, is_reversal=True
    )


def _awards_of(tenant: Tenant) -> "QuerySet[BadgeAward]":
    return BadgeAward.objects.filter(tenant_id=tenant.pk).select_related("badge")


def _describe(award: BadgeAward) -> tuple[str, dict[str, Any]]:
    """Return an award as an item of the activity."""
    event = {} if award.event_id is None else {"event_id": str(award.event_id)}
    return "badge.awarded", {"badge_code": award.badge.code, "badge_name": award.badge.name, **event}
