"""Request bodies, queries and answers of the badge endpoints."""

from typing import Any

from rest_framework import serializers

from gamify.badges.definitions import BadgeChanges
from gamify.badges.models import Rarity
from gamify.badges.profile import ParticipantBadge
from participants.api.answers import shows
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import (
    CodeField,
    CodesField,
    ObjectField,
    ParticipantIdField,
)
from participants.api.scalars import SwitchField


class AwardBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    badge_code = CodeField(help_text="Code of the badge.")
    metadata = ObjectField(required=False, allow_null=True, help_text="Your own data, at most 16 KiB.")


class BadgeAwardedAnswer(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    badge_code = serializers.CharField(source="badge.code", help_text="Code of the badge.")
    badge_name = serializers.CharField(source="badge.name", help_text="Name of the badge.")
    icon = serializers.CharField(source="badge.icon", allow_null=True, help_text="Address of the picture, or null.")
    rarity = serializers.ChoiceField(source="badge.rarity", choices=Rarity.choices, help_text="How rare the badge is.")
    earned_at = serializers.DateTimeField(
        help_text="When the participant earned it. A repeated award does not change it."
    )
    already_earned = serializers.BooleanField(help_text="Whether the participant had it before this call.")


class BadgeQuery(serializers.Serializer[Any]):
    earned_only = SwitchField(default=False, help_text="Leave out badges that the participant has not earned.")
    badge_codes = CodesField(required=False, help_text="Comma-separated codes. Default: all badges.")


class BadgeList(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    badges = ParticipantBadge(many=True, help_text="The requested badges, in display order.")
    total = serializers.IntegerField(help_text="Number of badges without a filter.")
    earned_count = serializers.IntegerField(help_text="Number of those that the participant has earned.")


@shows(BadgeChanges)
class BadgeAnswer(DefinitionAnswer):
    """A badge as it is stored."""
