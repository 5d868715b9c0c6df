"""What the personal export contains of streaks."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from participants.catalog import catalog_of
from participants.models import Participant
from participants.services.personal_data import columns_of
from streaks.engine.counting import windows_of
from streaks.models import ParticipantStreak
from streaks.selectors.catalog import streaks_in
from streaks.selectors.statuses import stored_rules

ABOUT_EXPORT = (
    "Their streaks: the stored state with freezes and paid milestones, and in `satisfied` the satisfied periods from the first to the last "
    "of each stretch."
)


def exported_rows(participant: Participant) -> "QuerySet[ParticipantStreak]":
    return ParticipantStreak.objects.of(participant).select_related("participant__tenant")


def exported_streak(row: ParticipantStreak) -> Mapping[str, Any]:
    """Return the columns of a row, and its satisfied windows as `[{from, to, windows}]` with instants."""
    return columns_of(row) | {"satisfied": list(_satisfied(row))}


def _satisfied(row: ParticipantStreak) -> Iterator[Mapping[str, datetime | int]]:
    streak = streaks_in(catalog_of(row.participant.tenant)).by_id[row.streak_id]
    windows = windows_of(row.state, stored_rules(row, streak, row.participant))
    if windows is None:
        return
    for first, length in row.runs:
        yield {"from": windows.start(first), "to": windows.end(first + length - 1), "windows": length}
