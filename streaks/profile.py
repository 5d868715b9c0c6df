"""Streaks in the profile and in the state."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.fields import Field

from participants.profile import Section, Subject, sections


class StreakSummary(serializers.Serializer[Any]):
    current = serializers.IntegerField()
    longest = serializers.IntegerField()


def _profile(subject: Subject) -> Mapping[str, Any]:
    return {"streaks": None}


def _state(subject: Subject) -> Any:
    return {"current": 0, "longest": 0}


def _profile_fields() -> Mapping[str, Field]:
    return {"streaks": StreakSummary(allow_null=True)}


def _state_field() -> Field:
    return StreakSummary()


def register() -> None:
    sections.register(
        "streaks",
        Section(profile=_profile, state=_state, profile_fields=_profile_fields, state_field=_state_field),
    )
