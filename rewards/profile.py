"""Rewards in the participant's profile and state."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from participants.profile import AnyField, Section, Subject, sections


class RewardsSummary(serializers.Serializer[Any]):
    total_claimed = serializers.IntegerField(help_text="Rewards claimed so far.")


def _claimed(subject: Subject) -> int:
    return 0 if subject.participant is None else subject.participant.rewards_claimed


def _profile(subject: Subject) -> Mapping[str, Any]:
    return {"rewards_claimed": _claimed(subject)}


def _state(subject: Subject) -> Any:
    return {"total_claimed": _claimed(subject)}


def _profile_fields() -> Mapping[str, AnyField]:
    return {"rewards_claimed": serializers.IntegerField(help_text="Rewards claimed so far.")}


def _state_field() -> AnyField:
    return RewardsSummary(help_text="Number of rewards.")


def register() -> None:
    sections.register(
        "rewards",
        Section(profile=_profile, state=_state, profile_fields=_profile_fields, state_field=_state_field),
    )
