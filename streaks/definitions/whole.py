"""The body of a whole streak, as programme files have it: everything that either dialect can express, each thing once."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from rest_framework import serializers

from participants.api.fields import LineField, NewCodeField
from participants.api.kinds import DefinitionKind, participants_with, register_kind
from streaks import services
from streaks.definitions.config import model_of_window
from streaks.definitions.console import ConsoleStreakChanges
from streaks.models import ParticipantStreak, Status, Streak
from streaks.selectors.configs import window_of

MAX_NAME = 255  # characters, as the Phoenix dialect allows


class WholeStreak(ConsoleStreakChanges):
    """`status` replaces `is_active`, `window` the period, `event_types` the fact type, and `grace_periods` the grace in hours."""

    is_active = fact_type = period = grace_period_hours = None  # type: ignore[assignment]  # DRF's way to leave out what the parents declare

    code = NewCodeField()
    name = LineField(max_length=MAX_NAME, help_text="Display name.")  # type: ignore[assignment]  # Phoenix allows longer names
    status = serializers.ChoiceField(
        choices=Status.choices, required=False, help_text="Only an active streak is ticked."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("fact_filter") and attrs.get("expression") is not None:
            raise serializers.ValidationError({"expression": "must not be given together with fact_filter"})
        return attrs


def _to_fields(data: Mapping[str, Any], row: Streak | None) -> dict[str, Any]:
    """Return fields of the model. A window without a zone follows the tenant's zone."""
    fields = dict(data)
    window = model_of_window(fields.pop("window"), tenant_zone="", row=None)
    return {
        **fields,
        **window,
        "fact_filter": fields["fact_filter"] or None,
        "is_active": fields["status"] == Status.ACTIVE,
    }


def _to_body(row: Streak) -> dict[str, Any]:
    """Return the whole streak. Its window has a zone only if it is not the tenant's."""
    window = {name: value for name, value in window_of(row, tenant_zone="").items() if value != ""}
    names = map(str, KIND.shared_body.fields)
    return {name: window if name == "window" else getattr(row, name) for name in names}


KIND = DefinitionKind(
    noun=services.NOUN,
    plural="streaks",
    model=Streak,
    body=WholeStreak,
    create=partial(services.create_streak, checks_references=False),
    update=partial(services.update_streak, checks_references=False),
    to_body=_to_body,
    to_fields=_to_fields,
    archived={"status": Status.ARCHIVED.value, "is_active": False},
    reach=participants_with(ParticipantStreak, "streak"),
)


def register() -> None:
    register_kind(KIND)
