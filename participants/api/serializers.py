"""Request bodies, query strings and answers of the participant endpoints."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from participants.api.fields import CodesField, LineField, ObjectField, ParticipantIdField, WebAddressField
from participants.api.scalars import FlagField, SwitchField, TextField
from participants.profile import SECTION_NAMES, AnyField, sections
from participants.services.personal_export import personal_tables


class ProfileChanges(serializers.Serializer[Any]):
    """Profile data. `attributes` are merged key by key; other fields that are sent replace the stored value."""

    display_name = LineField(
        max_length=255,
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Display name.",
    )
    avatar_url = WebAddressField(required=False, allow_null=True, help_text="An http or https URL of a picture.")
    attributes = ObjectField(required=False, allow_null=True, help_text="Any data of yours, at most 16 KiB.")
    timezone = TextField(
        max_length=64,
        required=False,
        allow_null=True,
        help_text="IANA time zone of the participant, such as Europe/Paris.",
    )
    visible = FlagField(required=False, help_text="Whether the participant is shown on leaderboards.")


class NewParticipant(ProfileChanges):
    participant_id = ParticipantIdField()


class Profile(serializers.Serializer[Any]):
    """Everything about one participant."""

    participant_id = ParticipantIdField()
    display_name = serializers.CharField(allow_null=True, help_text="Display name, or null.")
    avatar_url = serializers.CharField(allow_null=True, help_text="URL of a picture, or null.")
    attributes = ObjectField(help_text="Your data.")
    timezone = serializers.CharField(
        allow_null=True, help_text="IANA time zone of the participant; null means the tenant's."
    )
    visible = serializers.BooleanField(help_text="Whether the participant is shown on leaderboards.")
    total_events = serializers.IntegerField(help_text="Number of recorded events.")
    first_seen_at = serializers.DateTimeField(help_text="Time of the first successful write.")
    last_seen_at = serializers.DateTimeField(help_text="Time of the latest successful write.")
    is_active = serializers.BooleanField(help_text="False after the participant was anonymized.")
    created_at = serializers.DateTimeField(help_text="When the participant was created.")

    def get_fields(self) -> dict[str, AnyField]:
        fields = dict(super().get_fields())
        for section in sections.values():
            fields |= section.profile_fields()
        return fields


class State(serializers.Serializer[Any]):
    """The requested sections. Other sections are absent."""

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
    include = SectionsField(required=False, help_text="Comma-separated names of sections. Default: all.")

    def validate_include(self, names: list[str]) -> list[str]:
        unknown = sorted(set(names) - set(SECTION_NAMES))
        if unknown:
            raise serializers.ValidationError(f"Unknown sections: {', '.join(unknown)}.")
        return names

    def to_internal_value(self, data: Any) -> Any:
        return {"include": list(SECTION_NAMES), **super().to_internal_value(data)}


class ListedParticipant(serializers.Serializer[Any]):
    participant_id = ParticipantIdField(source="external_id")
    display_name = serializers.CharField(allow_null=True, help_text="Display name, or null.")
    total_points = serializers.IntegerField(source="total_earned", help_text="All points ever earned.")
    available_points = serializers.IntegerField(source="balance", help_text="Current balance.")
    current_tier = serializers.CharField(source="tier_code", allow_null=True, help_text="Code of the tier, or null.")
    total_events = serializers.IntegerField(help_text="Number of recorded events.")
    is_active = serializers.BooleanField(help_text="False after the participant was anonymized.")
    first_seen_at = serializers.DateTimeField(help_text="Time of the first successful write.")
    last_seen_at = serializers.DateTimeField(help_text="Time of the latest successful write.")


class ErasureQuery(serializers.Serializer[Any]):
    anonymize = SwitchField(default=False, help_text="Keep the ledger, but remove all personal data.")


class Erasure(serializers.Serializer[Any]):
    message = serializers.CharField(help_text="What was done, as a sentence.")
    participant_id = ParticipantIdField(help_text="Id of the participant; after anonymization, the new id.")


class PersonalData(serializers.Serializer[Any]):
    """All data of one participant. Each section lists the rows of one table, with their columns by name."""

    participant_id = ParticipantIdField()
    exported_at = serializers.DateTimeField(help_text="When the export began.")
    profile = serializers.DictField(help_text="The profile, the balance and all counts.")

    def get_fields(self) -> dict[str, AnyField]:
        tables = personal_tables().items()
        rows = {
            name: serializers.ListField(child=serializers.DictField(), help_text=each.about) for name, each in tables
        }
        return {**super().get_fields(), **rows}
