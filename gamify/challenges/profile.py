"""Challenges in the profile and in the state."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from participants.profile import AnyField, Section, Subject, sections


class ChallengesSummary(serializers.Serializer[Any]):
    active = serializers.IntegerField(help_text="Challenges under way.")
    completed = serializers.IntegerField(help_text="Challenges completed.")


def _profile(subject: Subject) -> Mapping[str, Any]:
    return {}


def _state(subject: Subject) -> Any:
    return {"active": 0, "completed": 0}


def _profile_fields() -> Mapping[str, AnyField]:
    return {}


def _state_field() -> AnyField:
    return ChallengesSummary(help_text="How many challenges.")


def register() -> None:
    sections.register(
        "challenges",
        Section(profile=_profile, state=_state, profile_fields=_profile_fields, state_field=_state_field),
    )
