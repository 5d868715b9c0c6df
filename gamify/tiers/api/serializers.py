"""Serializers of the tier endpoints: bodies and answers."""

from typing import Any

from rest_framework import serializers

from gamify.tiers.definitions import TierChanges
from gamify.tiers.models import AwardType
from gamify.tiers.profile import CurrentTier, NextTier, TierSummary
from participants.api.answers import shows
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import MAX_CODE, ParticipantIdField
from participants.api.scalars import TextField


class AssignmentBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    tier_code = TextField(max_length=MAX_CODE, help_text="Code of an active tier.")
    reason = TextField(
        max_length=500,
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Reason, for people who read the history.",
    )


class AssignedAnswer(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    tier = TierSummary(help_text="The tier of the participant now.")
    previous_tier = TierSummary(allow_null=True, help_text="The tier before, or null.")
    reason = serializers.CharField(allow_null=True, help_text="The given reason, or null.")
    assigned_at = serializers.DateTimeField(help_text="When the tier was assigned.")


class HistoryEntry(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the tier that was entered.")
    name = serializers.CharField(help_text="Its name at that time.")
    level = serializers.IntegerField(help_text="Its level at that time.")
    previous_code = serializers.CharField(allow_null=True, help_text="Code of the tier before, or null.")
    previous_level = serializers.IntegerField(allow_null=True, help_text="Level of the tier before, or null.")
    how = serializers.ChoiceField(
        choices=AwardType.choices,
        help_text="`automatic`: reached by points; `manual`: assigned by hand or granted by a definition.",
    )
    reason = serializers.CharField(allow_null=True, help_text="The reason of a manual change, or null.")
    achieved_at = serializers.DateTimeField(source="changed_at", help_text="When the participant entered the tier.")


class StandingAnswer(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    current_tier = CurrentTier(allow_null=True, help_text="The current tier, or null.")
    next_tier = NextTier(allow_null=True, help_text="The next higher tier; null at the top.")
    tier_history = HistoryEntry(many=True, help_text="The newest 1,000 changes of the tier, oldest first.")


@shows(TierChanges)
class TierAnswer(DefinitionAnswer):
    """A tier as it is stored."""
