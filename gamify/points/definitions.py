"""Request bodies of boosts, shared by the API and the console."""

from typing import Any

from rest_framework import serializers

from participants.api.definitions import DefinitionChanges
from participants.api.fields import MultiplierField, NameField, NewCodeField
from participants.api.scalars import InstantField

MULTIPLIER_HELP = (
    "Awards are multiplied by this number while the boost is on. Example: 2 turns an award of 100 into 200."
)
STARTS_HELP = "When the boost starts; null for no start."
ENDS_HELP = "When the boost ends (exclusive); null for no end."


class BoostChanges(DefinitionChanges):
    """Changes the given fields. Other fields stay as they are."""

    multiplier = MultiplierField(required=False, help_text=MULTIPLIER_HELP)
    starts_at = InstantField(required=False, allow_null=True, help_text=STARTS_HELP)
    ends_at = InstantField(required=False, allow_null=True, help_text=ENDS_HELP)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the boost as it will be after the change: the given fields together with the stored ones."""
        starts_at, ends_at = self.after(attrs, "starts_at"), self.after(attrs, "ends_at")
        if starts_at is not None and ends_at is not None and starts_at >= ends_at:
            raise serializers.ValidationError({"ends_at": "Must be after starts_at."})
        return attrs


class NewBoost(BoostChanges):
    code = NewCodeField()
    name = NameField()
    multiplier = MultiplierField(help_text=MULTIPLIER_HELP)
