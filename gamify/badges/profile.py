"""Badges in the profile and in the state."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify.badges.models import Rarity
from gamify.badges.selectors import BadgeStatus, badge_statuses, only_earned
from gamify.facts.definitions import NumberField
from participants.engine import exact_number
from participants.profile import AnyField, Section, Subject, sections


class BadgeSummary(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the badge.")
    name = serializers.CharField(help_text="Its name.")
    earned = serializers.BooleanField(help_text="Whether the participant has it.")
    earned_at = serializers.DateTimeField(allow_null=True, help_text="Since when, or null.")


@extend_schema_field({"type": "number", "minimum": 0})
class CountField(NumberField):
    """A number that may be 0."""


class BadgeProgressAnswer(serializers.Serializer[Any]):
    current = CountField(help_text="How far the participant is, never beyond the target.")
    target = NumberField(help_text="What it takes.")


class ParticipantBadge(BadgeSummary):
    description = serializers.CharField(allow_null=True, help_text="What it is for, or null.")
    icon = serializers.CharField(allow_null=True, help_text="Address of its picture, or null.")
    rarity = serializers.ChoiceField(choices=Rarity.choices, help_text="How rare it is.")
    progress = BadgeProgressAnswer(
        required=False, help_text="How far they are; only of one that is not earned and has criteria."
    )


def summary_body(standing: BadgeStatus) -> dict[str, Any]:
    return {
        "code": standing.badge.code,
        "name": standing.badge.name,
        "earned": standing.is_earned,
        "earned_at": standing.earned_at,
    }


def badge_body(standing: BadgeStatus) -> dict[str, Any]:
    badge = standing.badge
    about = {"description": badge.description, "icon": badge.icon, "rarity": badge.rarity}
    return summary_body(standing) | about | _progress_of(standing)


def _progress_of(standing: BadgeStatus) -> dict[str, Any]:
    progress = standing.progress
    if progress is None:
        return {}
    return {"progress": {"current": exact_number(progress.current), "target": exact_number(progress.target)}}


def _profile(subject: Subject) -> Mapping[str, Any]:
    standings = badge_statuses(subject.participant, subject.catalog)
    return {"badges": [badge_body(standing) for standing in only_earned(standings)]}


def _state(subject: Subject) -> Any:
    return [summary_body(standing) for standing in badge_statuses(subject.participant, subject.catalog)]


def _profile_fields() -> Mapping[str, AnyField]:
    return {"badges": ParticipantBadge(many=True, help_text="The badges they have earned.")}


def _state_field() -> AnyField:
    return BadgeSummary(many=True, help_text="All badges there are to earn, and what else they earned.")


def register() -> None:
    sections.register(
        "badges",
        Section(profile=_profile, state=_state, profile_fields=_profile_fields, state_field=_state_field),
    )
