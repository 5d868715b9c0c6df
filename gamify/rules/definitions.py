"""The bodies that create and change a rule, shared by the API and the console (docs/contract.md §11)."""

from collections.abc import Iterable, Mapping, Sequence
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
from gamify.rules.models import Rule, RuleTally
from gamify.rules.selectors.loops import endless_loops
from gamify.rules.services import NOUN, with_changes
from participants.api.definitions import DefinitionChanges
from participants.api.fields import NameField, NewCodeField
from participants.api.kinds import participants_with, plain_kind, register_kind, shown
from participants.api.scalars import CalendarInstantField, TextField, WholeNumberField
from participants.engine import is_empty_period
from participants.errors import FieldError, InvalidFields
from participants.events import event_types
from participants.models import Tenant

MAX_PRIORITY = 2**31 - 1
MAX_LIMIT = 1_000_000
MAX_COOLDOWN = 366 * 24 * 3600
LIMITS = ("per_day", "per_week", "ever", "cooldown_seconds")


def known_changes() -> list[str]:
    """The names of the changes to which rules can listen, in alphabetical order."""
    return sorted(filter(is_change, event_types))


class ChangeField(TextField):
    """The name of a change, such as `tier.upgraded`."""

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
    """What a rule listens to. It is replaced as a whole."""

    event_types = EventTypesField(required=False, help_text="Names of events that clients report; `*` stands for all.")
    changes = ChangesField(
        required=False,
        error_messages=message_endings(),
        help_text="Changes, that is, domain events such as `tier.upgraded` or `streak.milestone_reached`.",
    )
    expression = ExpressionField(
        required=False,
        allow_null=True,
        error_messages=message_endings(),
        help_text="Expression that they must match; null for none.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return all fields, because `when` is replaced as a whole."""
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
    """How often a rule may fire for one participant. It is replaced as a whole; a limit that is null or left out does not apply."""

    per_day = LimitField(help_text="Firings per day in your tenant's time zone.")
    per_week = LimitField(help_text="Firings per ISO week, which begins on Monday.")
    ever = LimitField(help_text="Firings in total.")
    cooldown_seconds = LimitField(max_value=MAX_COOLDOWN, help_text="Minimum time between two firings, in seconds.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return only the limits that apply."""
        return {name: value for name, value in attrs.items() if value is not None}


class RuleChanges(DefinitionChanges):
    """Changes the fields that are present. `when`, `then` and `limits` are replaced as a whole."""

    display_order = None  # type: ignore[assignment]  # DRF's way to leave out what the parent declares
    priority = WholeNumberField(
        min_value=-MAX_PRIORITY,
        max_value=MAX_PRIORITY,
        required=False,
        help_text="Rules with a higher priority are evaluated first; equal ones by code.",
    )
    starts_at = CalendarInstantField(
        required=False, allow_null=True, help_text="When it begins to apply; null for no beginning."
    )
    ends_at = CalendarInstantField(
        required=False, allow_null=True, help_text="When it stops to apply; null for no end."
    )
    when = When(required=False, help_text="What it listens to.")
    then = GrantsField(required=False, allow_empty=False, help_text="What it gives, in order.")
    limits = LimitsBody(required=False, help_text="How often it may fire for one participant.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Validate the changes together with the stored values that stay."""
        if is_empty_period(self.after(attrs, "starts_at"), self.after(attrs, "ends_at")):
            raise serializers.ValidationError({"ends_at": "must be later than the start"})
        return attrs


class NewRule(RuleChanges):
    code = NewCodeField()
    name = NameField()
    when = When(help_text="What it listens to.")
    then = GrantsField(allow_empty=False, help_text="What it gives, in order.")


def model_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return validated data under the field names of the model."""
    changes = dict(data)
    if "then" in changes:
        changes["grants"] = changes.pop("then")
    when: Mapping[str, Any] = changes.pop("when", {})
    return {**changes, **when}


def rule_with_changes(row: Rule, data: Mapping[str, Any]) -> Rule:
    """Return an unsaved copy of `row` with validated changes."""
    return with_changes(row, model_values(data))


def check_grants(tenant: Tenant, grants: Sequence[Mapping[str, Any]]) -> None:
    """Check the grants of a rule of `tenant`. Raises: InvalidFields."""
    if problems := tuple(then_problems(tenant, grants)):
        raise InvalidFields(*problems)


def then_problems(tenant: Tenant, grants: Sequence[Mapping[str, Any]]) -> Iterable[FieldError]:
    """Return what is wrong with the grants of a rule of `tenant`."""
    return grant_problems(tenant, grants, at="then")


def _body_of(row: Rule) -> dict[str, Any]:
    """Return a rule as the body that creates it. `when` has only the parts that are set."""
    when = {name: value for name in ("event_types", "changes", "expression") if (value := getattr(row, name))}
    own = {"when": when, "then": row.grants}
    return {
        name: own[name] if name in own else shown(row, name, field) for name, field in KIND.shared_body.fields.items()
    }


KIND = plain_kind(
    NOUN,
    "rules",
    Rule,
    NewRule,
    to_body=_body_of,
    to_fields=lambda data, row: model_values(data),
    conflicts=endless_loops,
    reach=participants_with(RuleTally, "rule"),
)


def register() -> None:
    register_kind(KIND)
