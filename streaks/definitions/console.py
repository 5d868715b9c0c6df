"""The bodies of the console's form: the Gamify body, and the parts of a configuration that it cannot express."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rest_framework import serializers

from participants.api.fields import NameField, NewCodeField
from participants.errors import FieldError
from participants.models import Tenant
from participants.profile import AnyField
from streaks.definitions.config import Config, model_of_window
from streaks.definitions.gamify import StreakChanges
from streaks.models import Status
from streaks.services.definitions import unknown_rewards


class ConsoleStreakChanges(StreakChanges, Config):
    """Both bodies. The form leaves out the fields that they have in common (`fact_type`, `period`, `expression`, …)."""


class NewConsoleStreak(ConsoleStreakChanges):
    code = NewCodeField()
    name = NameField()
    status = serializers.ChoiceField(choices=[Status.ACTIVE.value, Status.DRAFT.value], required=False)

    def get_fields(self) -> dict[str, AnyField]:
        """Make `event_types` optional. It defaults to the event that is named like the code."""
        fields = super().get_fields()
        fields["event_types"].required = False
        return fields


def model_of_console(data: Mapping[str, Any], *, tenant_zone: str) -> dict[str, Any]:
    """Convert validated data to fields of the model. A streak without a zone follows the tenant's zone."""
    changes = dict(data)
    if "fact_filter" in changes:
        changes |= {"fact_filter": changes["fact_filter"] or None, "expression": None}
    if "window" in changes:
        changes |= model_of_window(changes.pop("window"), tenant_zone=tenant_zone, row=None)
    return changes


def milestone_problems(tenant: Tenant, milestones: Sequence[Mapping[str, Any]]) -> Iterator[FieldError]:
    """The errors in the rewards of milestones. They must be rewards of the tenant."""
    for index in unknown_rewards(tenant, milestones):
        yield FieldError(f"milestones.{index}.reward_item_id", "does not exist")
