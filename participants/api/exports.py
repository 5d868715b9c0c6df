"""Exports of participants and of the change log."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet

from participants.api.exporting import ExportKind, ParticipantFilters, PeriodFilters, Scope, export_kinds
from participants.api.scalars import FlagField, TextField
from participants.models import ConfigurationChange, Participant
from participants.selectors import written_between, wrote
from participants.work import as_if_settled

PARTICIPANT_ID = "Your id of the participant."
ACTOR = "Who wrote it, as `kind:id`."
ACTOR_LABEL = "The actor's name at that time."
REQUEST_ID = "`X-Request-Id` of the request that led to it."

_PARTICIPANT = {
    "participant_id": PARTICIPANT_ID,
    "display_name": "Display name.",
    "avatar_url": "Address of the participant's picture.",
    "attributes": "Attributes, an object.",
    "timezone": "The participant's own time zone; empty: that of the tenant.",
    "is_active": "Whether the participant is active.",
    "visible": "Whether leaderboards show the participant.",
    "balance": "Points that can be spent.",
    "total_earned": "All points ever earned.",
    "total_spent": "All points ever spent.",
    "total_expired": "All points that expired.",
    "total_events": "Number of events.",
    "tier": "Code of the tier.",
    "badges": "Number of badges.",
    "challenges_completed": "Number of completed challenges.",
    "rewards_claimed": "Number of claimed rewards, without cancelled ones.",
    "first_seen_at": "When something about the participant was first written.",
    "last_seen_at": "When something about the participant was last written.",
    "anonymized_at": "When the participant was anonymized.",
}
_CHANGE = {
    "id": "Id of the change.",
    "at": "When it was changed.",
    "actor": ACTOR,
    "actor_label": ACTOR_LABEL,
    "request_id": REQUEST_ID,
    "object_type": "What kind of thing was changed.",
    "object_id": "Id of what was changed.",
    "code": "Code of what was changed.",
    "version": "The version of the definition that the change made.",
    "changes": "Each changed field with its value before and after, an object.",
    "reason": "Text given with the change.",
}


class ParticipantExportFilters(ParticipantFilters):
    is_active = FlagField(
        required=False, help_text="Whether to export only active participants, or only inactive ones. Default: both."
    )
    tier = TextField(max_length=50, required=False, help_text="Only participants in the tier with this code.")


class ChangeExportFilters(PeriodFilters):
    personal = frozenset({"code"})  # the code of a `participant_export` is the id of the participant

    actor = TextField(
        max_length=100, required=False, help_text="Only changes by this actor: `kind:id`, an id alone, or a kind alone."
    )
    object_type = TextField(
        max_length=40, required=False, help_text="Only changes of this kind of thing, such as `badge`."
    )
    code = TextField(max_length=255, required=False, help_text="Only changes of what has this code.")


def _participants(scope: Scope) -> "QuerySet[Participant]":
    selected = scope.matching(external_id="participant_id", is_active="is_active", tier_code="tier")
    return Participant.objects.filter(scope.of_tenant & scope.written & selected)


def _participant_values(scope: Scope, rows: Sequence[Participant], number: int) -> Iterable[Sequence[Any]]:
    as_if_settled(rows, now=scope.asked_at)
    return [
        (
            row.external_id, row.display_name, row.avatar_url, row.attributes, row.timezone, row.is_active, row.visible, row.balance,
            row.total_earned, row.total_spent, row.total_expired, row.total_events, row.tier_code, row.badge_count,
            row.challenges_completed, row.rewards_claimed, row.first_seen_at, row.last_seen_at, row.anonymized_at,
        )
        for row in rows
    ]  # fmt: skip


def _changes(scope: Scope) -> "QuerySet[ConfigurationChange]":
    filters = scope.filters
    written = written_between(filters.get("since"), filters.get("until"), None)
    selected = scope.matching(object_type="object_type", code="code") & wrote(filters.get("actor"))
    return ConfigurationChange.objects.filter(scope.of_tenant & scope.written & written & selected)


def register() -> None:
    """Called when the apps are loaded."""
    export_kinds.register(
        "participants",
        ExportKind(
            title="Participants",
            about="One row per participant, sorted by id, with the balance at the time of the export.",
            columns=_PARTICIPANT,
            filters=ParticipantExportFilters,
            rows=_participants,
            order=("external_id",),
            render=_participant_values,
            permission="participants.view_participant",
        ),
    )
    export_kinds.register(
        "changes",
        ExportKind(
            title="Change log",
            about="One row per change of the configuration, oldest first.",
            columns=_CHANGE,
            filters=ChangeExportFilters,
            rows=_changes,
            order=("id",),
            fields=(
                "id", "created_at", "actor", "actor_label", "request_id", "object_type", "object_id", "code", "number", "changes", "reason",
            ),
            permission="participants.view_configurationchange",
        ),
    )  # fmt: skip
