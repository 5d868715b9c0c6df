"""Tiers in the profile and in the state."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from participants.profile import AnyField, Section, Subject, sections


class TierSummary(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the tier.")
    name = serializers.CharField(help_text="Its name.")
    level = serializers.IntegerField(help_text="Its level; higher is better.")


class NextTier(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the tier.")
    name = serializers.CharField(help_text="Its name.")
    points_required = serializers.IntegerField(help_text="Points at which it is reached.")
    points_remaining = serializers.IntegerField(help_text="How many of them are missing.")


class ProfileTier(TierSummary):
    color = serializers.CharField(allow_null=True, help_text="Its colour, such as #FFD700.")
    achieved_at = serializers.DateTimeField(help_text="When the participant reached it.")
    next_tier = NextTier(allow_null=True, help_text="What comes next; null at the top.")


def _profile(subject: Subject) -> Mapping[str, Any]:
    return {"tier": None}


def _state(subject: Subject) -> Any:
    return None


def _profile_fields() -> Mapping[str, AnyField]:
    return {"tier": ProfileTier(allow_null=True, help_text="The tier they stand in, or null.")}


def _state_field() -> AnyField:
    return TierSummary(allow_null=True, help_text="The tier they stand in, or null.")


def register() -> None:
    sections.register(
        "tier",
        Section(profile=_profile, state=_state, profile_fields=_profile_fields, state_field=_state_field),
    )
