"""Bodies, queries and answers about participants."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from participants.api.fields import CodesField, LineField, ObjectField, ParticipantIdField, WebAddressField
from participants.api.scalars import FlagField, SwitchField, TextField
from participants.models import Participant
from participants.profile import SECTION_NAMES, AnyField, sections


class ProfileChanges(serializers.Serializer[Any]):
    """Profile data; PATCH merges `attributes` key by key, everything else that is given replaces."""

    display_name = LineField(
        max_length=255,
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=False,
        help_text="A name to show.",
    )
    avatar_url = WebAddressField(required=False, allow_null=True, help_text="An http or https address of a picture.")
    attributes = ObjectField(required=False, allow_null=True, help_text="Your own data, at most 16 KiB.")
    timezone = TextField(
        max_length=64, required=False, allow_null=True, help_text="Their IANA time zone, such as Europe/Paris."
    )
    visible = FlagField(required=False, help_text="Whether they are shown on leaderboards.")


class NewParticipant(ProfileChanges):
    participant_id = ParticipantIdField()


class Profile(serializers.Serializer[Any]):
    """Everything about one participant."""

    participant_id = ParticipantIdField()
    display_name = serializers.CharField(allow_null=True, help_text="A name to show, or null.")
    avatar_url = serializers.CharField(allow_null=True, help_text="Address of a picture, or null.")
    attributes = ObjectField(help_text="Your own data.")
    timezone = serializers.CharField(allow_null=True, help_text="Their IANA time zone; null means the tenant's.")
    visible = serializers.BooleanField(help_text="Whether they are shown on leaderboards.")
    total_events = serializers.IntegerField(help_text="Events recorded for them.")
    first_seen_at = serializers.DateTimeField(help_text="Their first successful write.")
    last_seen_at = serializers.DateTimeField(help_text="Their latest successful write.")
    is_active = serializers.BooleanField(help_text="False once anonymized.")
    created_at = serializers.DateTimeField(help_text="When they were created.")

    def get_fields(self) -> dict[str, AnyField]:
        fields = dict(super().get_fields())
        for section in sections.values():
            fields |= section.profile_fields()
        return fields


class State(serializers.Serializer[Any]):
    """The sections that were asked for; the others are absent."""

    participant_id = ParticipantIdField()

    def get_fields(self) -> dict[str, AnyField]:
        fields = dict(super().get_fields())
        return fields | {name: _optional(section.state_field()) for name, section in sections.items()}


def _optional(field: AnyField) -> AnyField:
    field.required = False
    return field


@extend_schema_field({"type": "array", "items": {"type": "string", "enum": list(SECTION_NAMES)}})
class SectionsField(CodesField):
    """Names of sections."""


class StateQuery(serializers.Serializer[Any]):
    include = SectionsField(required=False, help_text="Comma-separated sections; all when left out.")

    def validate_include(self, names: list[str]) -> list[str]:
        unknown = sorted(set(names) - set(SECTION_NAMES))
        if unknown:
            raise serializers.ValidationError(f"Unknown sections: {', '.join(unknown)}.")
        return names

    def to_internal_value(self, data: Any) -> Any:
        return {"include": list(SECTION_NAMES), **super().to_internal_value(data)}


class ListedParticipant(serializers.ModelSerializer[Participant]):
    participant_id = ParticipantIdField(source="external_id")
    total_points = serializers.IntegerField(source="total_earned", help_text="Points ever earned.")
    available_points = serializers.IntegerField(source="balance", help_text="The balance now.")
    current_tier = serializers.CharField(source="tier_code", allow_null=True, help_text="Code of the tier, or null.")

    class Meta:
        model = Participant
        fields = [
            "participant_id",
            "display_name",
            "total_points",
            "available_points",
            "current_tier",
            "total_events",
            "is_active",
            "first_seen_at",
            "last_seen_at",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "display_name": {"help_text": "A name to show, or null."},
            "total_events": {"help_text": "Events recorded for them."},
            "is_active": {"help_text": "False once anonymized."},
            "first_seen_at": {"help_text": "Their first successful write."},
            "last_seen_at": {"help_text": "Their latest successful write."},
        }


class ErasureQuery(serializers.Serializer[Any]):
    anonymize = SwitchField(default=False, help_text="Keep the ledger, forget the person.")


class Erasure(serializers.Serializer[Any]):
    message = serializers.CharField(help_text="What was done, for people.")
    participant_id = ParticipantIdField(help_text="Whose data it was; when anonymized, the new id.")
