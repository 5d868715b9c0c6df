"""Export of the streaks of participants."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet

from participants.api.exporting import ExportKind, ParticipantFilters, Scope, check_code, export_kinds
from participants.api.exports import PARTICIPANT_ID
from participants.api.scalars import TextField
from participants.catalog import catalog_of
from streaks.models import ParticipantStreak, Streak
from streaks.selectors import status_of, streaks_in

_STREAK = {
    "participant_id": PARTICIPANT_ID,
    "streak_code": "Code of the streak.",
    "streak_name": "Its name today.",
    "status": "Status of the definition.",
    "current": "Length of the current run at the time of the export; 0 if there is none.",
    "longest": "Length of the longest run ever.",
    "is_at_risk": "Whether the current run is about to break.",
    "breaks_at": "When the current run breaks if there is no further tick.",
    "last_activity_at": "When it last ticked.",
    "freezes": "Excused times of the participant, a list.",
}
_FREEZE = ("from", "to", "reason", "at")


class StreakExportFilters(ParticipantFilters):
    streak_code = TextField(max_length=50, required=False, help_text="Only this streak.")


def _rows(scope: Scope) -> "QuerySet[ParticipantStreak]":
    selected = scope.of_participant & scope.matching(streak__code="streak_code")
    return ParticipantStreak.objects.filter(scope.of_tenant & scope.written & selected).select_related("participant")


def _values(scope: Scope, rows: Sequence[ParticipantStreak], number: int) -> Iterable[Sequence[Any]]:
    streaks = streaks_in(catalog_of(scope.tenant)).by_id
    for row in rows:
        streak = streaks[row.streak_id]
        status = status_of(row, streak, row.participant, now=scope.asked_at).streak_status
        freezes = [{name: freeze.get(name) for name in _FREEZE} for freeze in row.freezes]
        yield (
            row.participant.external_id, streak.code, streak.name, streak.status, status.current, status.longest, status.is_at_risk,
            status.breaks_at, row.last_activity_at, freezes,
        )  # fmt: skip


def register() -> None:
    """Called by `AppConfig.ready`."""
    export_kinds.register(
        "streaks",
        ExportKind(
            title="Streaks of participants",
            about="One row per participant and streak that they ticked, with the status at the time of the export.",
            columns=_STREAK,
            filters=StreakExportFilters,
            rows=_rows,
            order=("participant_id", "streak_id"),
            render=_values,
            find=lambda scope: check_code(scope, Streak, "streak_code"),
            permission="streaks.view_streak",
        ),
    )
