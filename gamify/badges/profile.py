"""Badges in the profile and in the state."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from participants.profile import AnyField, Section, Subject, sections


def _profile(subject: Subject) -> Mapping[str, Any]:
    return {"badges": []}


def _state(subject: Subject) -> Any:
    return []


def _profile_fields() -> Mapping[str, AnyField]:
    return {"badges": serializers.ListField()}


def _state_field() -> AnyField:
    return serializers.ListField()


def register() -> None:
    sections.register(
        "badges",
        Section(profile=_profile, state=_state, profile_fields=_profile_fields, state_field=_state_field),
    )
