"""Badges in the profile and in the state."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from participants.profile import AnyField, Section, Subject, sections


class BadgeSummary(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the badge.")
    name = serializers.CharField(help_text="Its name.")
    earned = serializers.BooleanField(help_text="Whether the participant has it.")
    earned_at = serializers.DateTimeField(allow_null=True, help_text="Since when, or null.")


class EarnedBadge(BadgeSummary):
    rarity = serializers.CharField(help_text="common, uncommon, rare, epic or legendary.")


def _profile(subject: Subject) -> Mapping[str, Any]:
    return {"badges": []}


def _state(subject: Subject) -> Any:
    return []


def _profile_fields() -> Mapping[str, AnyField]:
    return {"badges": EarnedBadge(many=True, help_text="The badges they have earned.")}


def _state_field() -> AnyField:
    return BadgeSummary(many=True, help_text="All badges there are to earn, and what else they earned.")


def register() -> None:
    sections.register(
        "badges",
        Section(profile=_profile, state=_state, profile_fields=_profile_fields, state_field=_state_field),
    )
