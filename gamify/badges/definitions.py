"""What may be said of a badge when it is defined or changed, through the API or in the console."""

from rest_framework import serializers

from gamify.badges.models import Rarity
from participants.api.definitions import DefinitionChanges
from participants.api.fields import CodeField, LineField, NameField, WebAddressField


class BadgeChanges(DefinitionChanges):
    icon_url = WebAddressField(required=False, allow_null=True, help_text="An http or https address of a picture.")
    category = LineField(
        max_length=100, required=False, allow_null=True, allow_blank=True, help_text="A word of yours to sort them by."
    )
    rarity = serializers.ChoiceField(choices=Rarity.choices, required=False, help_text="How rare it is.")


class NewBadge(BadgeChanges):
    code = CodeField()
    name = NameField()
