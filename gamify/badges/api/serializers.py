"""Bodies, queries and answers about badges."""

from typing import Any

from rest_framework import serializers

from gamify.badges.definitions import BadgeCriteria
from gamify.badges.models import Rarity
from gamify.badges.profile import ParticipantBadge
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
    badge_name = serializers.CharField(source="badge.name", help_text="Its name.")
    icon = serializers.CharField(source="badge.icon", allow_null=True, help_text="Address of its picture, or null.")
    rarity = serializers.ChoiceField(source="badge.rarity", choices=Rarity.choices, help_text="How rare it is.")
    earned_at = serializers.DateTimeField(help_text="When the participant earned it, the first time it was awarded.")
    already_earned = serializers.BooleanField(help_text="Whether they had it before this call.")


class BadgeQuery(serializers.Serializer[Any]):
    earned_only = SwitchField(default=False, help_text="Leave out what the participant has not earned.")
    badge_codes = CodesField(required=False, help_text="Comma-separated codes; all badges when left out.")


class BadgeList(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    badges = ParticipantBadge(many=True, help_text="The badges asked for, in display order.")
    total = serializers.IntegerField(help_text="How many there are without a filter.")
    earned_count = serializers.IntegerField(help_text="How many of them the participant has earned.")


class BadgeAnswer(DefinitionAnswer):
    icon_url = serializers.CharField(allow_null=True, help_text="Address of its picture, or null.")
    category = serializers.CharField(allow_null=True, help_text="A word of yours to sort them by, or null.")
    rarity = serializers.ChoiceField(choices=Rarity.choices, help_text="How rare it is.")
    criteria = BadgeCriteria(allow_null=True, help_text="When it is earned without anybody giving it, or null.")
