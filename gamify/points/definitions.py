"""What may be said of a boost when it is defined or changed, through the API or in the console."""

from typing import Any

from rest_framework import serializers

from participants.api.definitions import DefinitionChanges
from participants.api.fields import MultiplierField, NameField, NewCodeField
from participants.api.scalars import InstantField

MULTIPLIER_HELP = "By what awards are multiplied while it lasts."


class BoostChanges(DefinitionChanges):
    """The fields that are given change, and no other."""

    multiplier = MultiplierField(required=False, help_text=MULTIPLIER_HELP)
    starts_at = InstantField(required=False, allow_null=True, help_text="From when on; null: ever since.")
    ends_at = InstantField(required=False, allow_null=True, help_text="When it ends; null: never.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A change is judged together with what stays as it is."""
        starts_at, ends_at = self.after(attrs, "starts_at"), self.after(attrs, "ends_at")
        if starts_at is not None and ends_at is not None and starts_at >= ends_at:
            raise serializers.ValidationError({"ends_at": "Must be after starts_at."})
        return attrs


class NewBoost(BoostChanges):
    code = NewCodeField()
    name = NameField()
    multiplier = MultiplierField(help_text=MULTIPLIER_HELP)
