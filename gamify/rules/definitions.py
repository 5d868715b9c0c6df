"""What may be said of a rule when it is defined or changed, through the API or in the console (contract §11)."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any

from rest_framework import serializers

from gamify.facts.definitions import (
    Body,
    EventTypesField,
    ExpressionField,
    GrantsField,
    grant_problems,
    message_endings,
)
from gamify.facts.services import is_change
from gamify.rules.models import Rule
from participants.api.definitions import DefinitionChanges
from participants.api.fields import NameField, NewCodeField
from participants.api.scalars import CalendarInstantField, TextField, WholeNumberField
from participants.errors import DomainError, FieldError
from participants.events import event_types
from participants.models import Tenant

MAX_PRIORITY = 2**31 - 1
MAX_LIMIT = 1_000_000
MAX_COOLDOWN = 366 * 24 * 3600
LIMITS = ("per_day", "per_week", "ever", "cooldown_seconds")


def known_changes() -> list[str]:
    """The changes that rules may listen to, in alphabetical order."""
    return sorted(filter(is_change, event_types))


class ChangeField(TextField):
    """A change of the product's own, such as `tier.upgraded`."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and value not in known_changes():
            raise serializers.ValidationError(f"must be one of: {', '.join(known_changes())}")
        return value


class ChangesField(serializers.ListField):
    child = ChangeField(error_messages=message_endings())

    def run_validation(self, data: Any = serializers.empty) -> Any:
        names = super().run_validation(data)
        return list(dict.fromkeys(names)) if isinstance(names, list) else names


class When(Body):
    """What a rule listens to; replaced as a whole."""

    event_types = EventTypesField(required=False, help_text="Names of clients' events; `*` for any of them.")
    changes = ChangesField(
        required=False,
        error_messages=message_endings(),
        help_text="Changes of the product's own, such as `tier.upgraded` or `streak.milestone_reached`.",
    )
    expression = ExpressionField(
        required=False,
        allow_null=True,
        error_messages=message_endings(),
        help_text="Which of these are meant; null for all.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With all of its fields, since a change leaves none of them as it was."""
        names = {"event_types": attrs.get("event_types", []), "changes": attrs.get("changes", [])}
        if not any(names.values()):
            raise serializers.ValidationError({"event_types": "name at least one event type or change"})
        return {**names, "expression": attrs.get("expression")}


class LimitField(WholeNumberField):
    def __init__(self, *, help_text: str, max_value: int = MAX_LIMIT) -> None:
        messages = message_endings(invalid="must be a whole number", min_value="must not be negative")
        super().__init__(
            min_value=0,
            max_value=max_value,
            required=False,
            allow_null=True,
            error_messages=messages,
            help_text=help_text,
        )


class LimitsBody(Body):
    """How often a rule may fire for one participant; replaced as a whole. What is left out or null does not bind."""

    per_day = LimitField(help_text="In a day of your tenant's time zone.")
    per_week = LimitField(help_text="In an ISO week, which begins on Monday.")
    ever = LimitField(help_text="In all.")
    cooldown_seconds = LimitField(max_value=MAX_COOLDOWN, help_text="Least time between two firings, in seconds.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only what binds."""
        return {name: value for name, value in attrs.items() if value is not None}


class RuleChanges(DefinitionChanges):
    """The fields that are given change, and no other; `when`, `then` and `limits` are replaced as a whole."""

    display_order = None  # type: ignore[assignment]  # DRF's way to leave out what the parent declares
    priority = WholeNumberField(
        min_value=-MAX_PRIORITY,
        max_value=MAX_PRIORITY,
        required=False,
        help_text="Rules with a higher one come first; then by code.",
    )
    starts_at = CalendarInstantField(required=False, allow_null=True, help_text="From when it holds; null: always.")
    ends_at = CalendarInstantField(required=False, allow_null=True, help_text="Until when; null: for ever.")
    when = When(required=False, help_text="What it listens to.")
    then = GrantsField(required=False, allow_empty=False, help_text="What is given, in order.")
    limits = LimitsBody(required=False, help_text="How often it may fire for one participant.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A change is judged together with what stays as it is."""
        starts_at, ends_at = self.after(attrs, "starts_at"), self.after(attrs, "ends_at")
        if starts_at is not None and ends_at is not None and starts_at >= ends_at:
            raise serializers.ValidationError({"ends_at": "must be later than the start"})
        return attrs


class NewRule(RuleChanges):
    code = NewCodeField()
    name = NameField()
    when = When(help_text="What it listens to.")
    then = GrantsField(allow_empty=False, help_text="What is given, in order.")


def model_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Validated data under the names of the model."""
    changes = dict(data)
    if "then" in changes:
        changes["grants"] = changes.pop("then")
    when: Mapping[str, Any] = changes.pop("when", {})
    return {**changes, **when}


def rule_with_changes(row: Rule, data: Mapping[str, Any]) -> Rule:
    """A copy of `row` with validated changes, not to be saved: what it would be."""
    draft = copy(row)
    for name, value in model_values(data).items():
        setattr(draft, name, value)
    return draft


class InvalidGrants(DomainError):
    """What a rule gives is not there to be given."""

    code = "validation_error"
    status = 422

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(f"{errors[0].field}: {errors[0].message}", errors=errors)


def check_grants(tenant: Tenant, grants: Sequence[Mapping[str, Any]]) -> None:
    """Raises GrantsRefused for what a rule of `tenant` may not give."""
    if problems := tuple(then_problems(tenant, grants)):
        raise InvalidGrants(*problems)


def then_problems(tenant: Tenant, grants: Sequence[Mapping[str, Any]]) -> Iterable[FieldError]:
    """What is wrong with the grants of a rule of `tenant`."""
    return grant_problems(tenant, grants, at="then")
