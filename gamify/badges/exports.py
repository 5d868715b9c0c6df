"""Export of badges that participants have."""

from django.db.models import QuerySet

from gamify.badges.models import Badge, BadgeAward
from participants.api.exporting import ExportKind, ParticipantPeriodFilters, Scope, check_code, export_kinds
from participants.api.exports import ACTOR, ACTOR_LABEL, PARTICIPANT_ID, REQUEST_ID
from participants.api.scalars import TextField

_AWARD = {
    "id": "Id of the award.",
    "participant_id": PARTICIPANT_ID,
    "badge_code": "Code of the badge.",
    "badge_name": "Its name today.",
    "earned_at": "When it was earned.",
    "event_id": "The event that led to it.",
    "metadata": "Object given with the request.",
    "actor": ACTOR,
    "actor_label": ACTOR_LABEL,
    "request_id": REQUEST_ID,
}


class BadgeExportFilters(ParticipantPeriodFilters):
    badge_code = TextField(max_length=50, required=False, help_text="Only this badge.")


def _awards(scope: Scope) -> "QuerySet[BadgeAward]":
    selected = scope.of_participant & scope.between("earned_at") & scope.matching(badge__code="badge_code")
    return BadgeAward.objects.filter(scope.of_tenant & scope.written & selected)


def register() -> None:
    """Called by `AppConfig.ready`."""
    export_kinds.register(
        "badges",
        ExportKind(
            title="Badges earned",
            about="One row per badge that a participant has. `since` and `until` are about `earned_at`.",
            columns=_AWARD,
            filters=BadgeExportFilters,
            rows=_awards,
            order=("participant_id", "badge_id"),
            fields=(
                "id", "participant__external_id", "badge__code", "badge__name", "earned_at", "event_id", "metadata",
                "actor", "actor_label", "request_id",
            ),
            find=lambda scope: check_code(scope, Badge, "badge_code"),
            permission="badges.view_badge",
        ),
    )  # fmt: skip
