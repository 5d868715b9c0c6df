"""Streaks in the profile and in the state."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from participants.profile import AnyField, Section, Subject, sections


class StreakSummary(serializers.Serializer[Any]):
    current = serializers.IntegerField()
    longest = serializers.IntegerField()


def _profile(subject: Subject) -> Mapping[str, Any]:
    return {"streaks": None}


def _state(subject: Subject) -> Any:
    return {"current": 0, "longest": 0}


def _profile_fields() -> Mapping[str, AnyField]:
    return {"streaks": StreakSummary(allow_null=True)}


def _state_field() -> AnyField:
    return StreakSummary()


def register() -> None:
    sections.register(
        "streaks",
        Section(profile=_profile, state=_state, profile_fields=_profile_fields, state_field=_state_field),
    )
