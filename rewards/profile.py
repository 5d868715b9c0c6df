"""Rewards in the participant's profile and state."""

from typing import Any

from rest_framework import serializers

from participants.profile import Section, Subject, sections


class RewardsSummary(serializers.Serializer[Any]):
    total_claimed = serializers.IntegerField(help_text="Rewards claimed so far.")


def _claimed(subject: Subject) -> int:
    return 0 if subject.participant is None else subject.participant.rewards_claimed


def register() -> None:
    section = Section(
        state=lambda subject: {"total_claimed": _claimed(subject)},
        state_field=lambda: RewardsSummary(help_text="Number of rewards."),
        profile=lambda subject: {"rewards_claimed": _claimed(subject)},
        profile_fields=lambda: {"rewards_claimed": serializers.IntegerField(help_text="Rewards claimed so far.")},
    )
    sections.register("rewards", section)
