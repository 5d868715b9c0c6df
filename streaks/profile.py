"""The sections of streaks in a participant's profile and state."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from participants.profile import AnyField, Section, Subject, sections
from streaks.selectors import ROWS, ParticipantStreakStatus, best_status, statuses_of


class StreakSummary(serializers.Serializer[Any]):
    current = serializers.IntegerField(help_text="Length of the live run, else 0.")
    longest = serializers.IntegerField(help_text="Length of the longest run ever.")


class BestStreak(StreakSummary):
    last_activity_at = serializers.DateTimeField(help_text="When it last ticked.")


def _profile(subject: Subject) -> Mapping[str, Any]:
    best = _best(subject)
    return {"streaks": {**_summary(best), "last_activity_at": best.last_activity_at} if best else None}


def _state(subject: Subject) -> Mapping[str, int]:
    return _summary(_best(subject))


def _best(subject: Subject) -> ParticipantStreakStatus | None:
    rows = subject.rows.get(ROWS)
    return best_status(statuses_of(subject.participant, subject.catalog, now=subject.now, rows=rows))


def _summary(best: ParticipantStreakStatus | None) -> dict[str, int]:
    if best is None:
        return {"current": 0, "longest": 0}
    return {"current": best.streak_status.current, "longest": best.streak_status.longest}


def _profile_fields() -> Mapping[str, AnyField]:
    about = "The best streak that is alive, else the longest. Null if the participant never ticked one."
    return {"streaks": BestStreak(allow_null=True, help_text=about)}


def _state_field() -> AnyField:
    return StreakSummary(help_text="The best streak that is alive, else the longest.")


def register() -> None:
    sections.register(
        "streaks",
        Section(
            profile=_profile,
            state=_state,
            state_queries=lambda catalog: (ROWS,),
            profile_fields=_profile_fields,
            state_field=_state_field,
        ),
    )
