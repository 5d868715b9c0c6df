"""The badges section of a participant's profile and state."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify.badges.models import Rarity
from gamify.badges.selectors import AWARDS, BadgeStatus, badge_statuses, only_earned
from gamify.facts.definitions import NumberField
from participants.engine import exact_number
from participants.profile import Section, Subject, sections


class BadgeSummary(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the badge.")
    name = serializers.CharField(help_text="Name of the badge.")
    earned = serializers.BooleanField(help_text="Whether the participant has it.")
    earned_at = serializers.DateTimeField(allow_null=True, help_text="When they earned it, or null.")


@extend_schema_field({"type": "number", "minimum": 0})
class CountField(NumberField):
    """A number of at least 0."""


class BadgeProgressAnswer(serializers.Serializer[Any]):
    current = CountField(help_text="Progress so far, at most the target.")
    target = NumberField(help_text="The number at which the badge is earned.")


class ParticipantBadge(BadgeSummary):
    description = serializers.CharField(allow_null=True, help_text="Description, or null.")
    icon = serializers.CharField(allow_null=True, help_text="Address of the picture, or null.")
    rarity = serializers.ChoiceField(choices=Rarity.choices, help_text="How rare the badge is.")
    progress = BadgeProgressAnswer(
        required=False, help_text="Progress towards the badge. Only for badges with criteria that are not earned."
    )


def summary_body(status: BadgeStatus) -> dict[str, Any]:
    return {
        "code": status.badge.code,
        "name": status.badge.name,
        "earned": status.is_earned,
        "earned_at": status.earned_at,
    }


def badge_body(status: BadgeStatus) -> dict[str, Any]:
    badge = status.badge
    about = {"description": badge.description, "icon": badge.icon, "rarity": badge.rarity}
    return summary_body(status) | about | _progress_of(status)


def _progress_of(status: BadgeStatus) -> dict[str, Any]:
    progress = status.progress
    if progress is None:
        return {}
    return {"progress": {"current": exact_number(progress.current), "target": exact_number(progress.target)}}


def _profile(subject: Subject) -> Mapping[str, Any]:
    statuses = badge_statuses(subject.participant, subject.catalog)
    return {"badges": [badge_body(status) for status in only_earned(statuses)]}


def _state(subject: Subject) -> Any:
    statuses = badge_statuses(subject.participant, subject.catalog, awards=subject.rows.get(AWARDS))
    return [summary_body(status) for status in statuses]


def register() -> None:
    section = Section(
        state=_state,
        state_queries=lambda catalog: (AWARDS,),
        state_field=lambda: BadgeSummary(many=True, help_text="All active badges, and inactive ones that they earned."),
        profile=_profile,
        profile_fields=lambda: {"badges": ParticipantBadge(many=True, help_text="The badges they have earned.")},
    )
    sections.register("badges", section)
