"""Request bodies of boosts, shared by the API and the console."""

from typing import Any

from rest_framework import serializers

from gamify.points.models import Boost
from participants.api.definitions import DefinitionChanges
from participants.api.fields import MultiplierField, NameField, NewCodeField
from participants.api.kinds import plain_kind, register_kind
from participants.api.scalars import InstantField
from participants.engine import is_empty_period

MULTIPLIER_HELP = (
    "Awards are multiplied by this number while the boost is on. Example: 2 turns an award of 100 into 200."
)


class BoostChanges(DefinitionChanges):
    """Changes the given fields. Other fields stay as they are."""

    multiplier = MultiplierField(required=False, help_text=MULTIPLIER_HELP)
    starts_at = InstantField(required=False, allow_null=True, help_text="When the boost starts; null for no start.")
    ends_at = InstantField(
        required=False, allow_null=True, help_text="When the boost ends (exclusive); null for no end."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the boost as it will be after the change: the given fields together with the stored ones."""
        if is_empty_period(self.after(attrs, "starts_at"), self.after(attrs, "ends_at")):
            raise serializers.ValidationError({"ends_at": "Must be after starts_at."})
        return attrs


class NewBoost(BoostChanges):
    code = NewCodeField()
    name = NameField()
    multiplier = MultiplierField(help_text=MULTIPLIER_HELP)


def register() -> None:
    register_kind(plain_kind("boost", "boosts", Boost, NewBoost))
