"""The form of a rule. Its fields make the body that an API client would send, and that body validates them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from rest_framework.serializers import Serializer
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from gamify.facts.admin.grants import GrantsField
from gamify.facts.admin.seen import EVENTS, PROPERTIES
from gamify.facts.admin.words import grant_error_sentence
from gamify.rules.admin.conditions import conditions_of, expression_of
from gamify.rules.admin.words import as_sentence
from gamify.rules.definitions import LIMITS, NewRule, RuleChanges, known_changes, then_problems
from participants.admin.conditions import ConditionsField
from participants.admin.definitions import DefinitionForm
from participants.admin.fields import IntegerField, SplitMomentField, SwitchField, WordsField
from participants.admin.lengths import LengthField
from participants.errors import FieldError
from participants.events import event_types

WHEN = ("event_types", "changes", "conditions", "drop_expression")
ELSEWHERE = (*WHEN, "grants", *LIMITS)


def _changes() -> list[tuple[str, str]]:
    return [(name, f"{name} – {event_types[name].meaning}") for name in known_changes()]


class RuleForm(DefinitionForm):
    create_body, update_body = NewRule, RuleChanges
    form_names = {
        "when.event_types": "event_types",
        "when.changes": "changes",
        "when.expression": "conditions",
        "when": "event_types",
        "then": "grants",
        **{f"limits.{name}": name for name in LIMITS},
    }

    refused_names: ClassVar[dict[str, str]] = {"then": "grants"}
    only_edited = ("drop_expression",)
    unset_words = {
        "event_types": "none",
        "changes": "none",
        "conditions": "every such event",
        "starts_at": "no beginning",
        "ends_at": "no end",
        **dict.fromkeys(("per_day", "per_week", "ever"), "any number"),
        "cooldown_seconds": "none",
    }

    display_order = None  # type: ignore[assignment]  # Django's way to leave out what the parent declares
    priority = IntegerField(
        initial=0, help_text="Rules with a higher priority are evaluated first; equal ones by code."
    )
    starts_at = SplitMomentField(label="From", help_text="In UTC, by the time of the event. Empty: from now on.")
    ends_at = SplitMomentField(label="Until", help_text="In UTC; at this time it no longer applies. Empty: no end.")
    event_types = WordsField(
        label="Events",
        suggests=EVENTS,
        help_text="Names separated by commas; * means any event of your application.",
    )
    changes = forms.MultipleChoiceField(
        label="Changes",
        choices=_changes,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Things that the product itself did. A rule may listen to events, to changes, or to both.",
    )
    conditions = ConditionsField(
        label="Only where",
        suggests=PROPERTIES,
        required=False,
        help_text="All must hold. A property of the event, such as amount, or an attribute of its participant, such as participant.plan.",
    )
    drop_expression = SwitchField(
        label="Remove these conditions", help_text="The rule then fires every time, and you can set conditions here."
    )
    grants = GrantsField(label="Gives", help_text="In this order. A grant that cannot be given is left out.")
    per_day = IntegerField(label="In a day", help_text="In the tenant's time zone. Empty: no limit.")
    per_week = IntegerField(label="In a week", help_text="From Monday to Sunday.")
    ever = IntegerField(label="Ever")
    cooldown_seconds = LengthField(label="Pause", unit="minutes", help_text="Minimum time between two firings.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(**self.instance.limits, conditions=conditions_of(self.instance.expression or {}))
        grants = self.fields["grants"]
        assert isinstance(grants, GrantsField), "declared above"  # noqa: S101
        grants.suggest_for(self.tenant)

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        body = super().body([name for name in names if name not in ELSEWHERE])
        if any(name in names for name in WHEN):
            body["when"] = self._when()
        if "grants" in names:
            body["then"] = self.cleaned_data["grants"]
        if any(name in names for name in LIMITS):
            body["limits"] = {name: self._entered_or_stored(name, self.instance.limits.get(name)) for name in LIMITS}
        return body

    def _when(self) -> dict[str, Any]:
        names = {
            name: self._entered_or_stored(name, getattr(self.instance, name)) for name in ("event_types", "changes")
        }
        return {**names, "expression": self._expression()}

    def _expression(self) -> dict[str, Any] | None:
        if self.cleaned_data.get("drop_expression"):
            return None
        stored: dict[str, Any] | None = self.instance.expression
        return expression_of(self.cleaned_data.get("conditions")) if self._is_entered("conditions") else stored

    def _entered_or_stored(self, name: str, stored: Any) -> Any:
        return self.cleaned_data.get(name) if self._is_entered(name) else stored

    def _is_entered(self, name: str) -> bool:
        """Whether the field was changed in this form. Other fields are sent as they are stored now, so that other edits are not reverted."""
        return self.instance._state.adding or name in self.changed_data

    def _bound_body(self) -> Serializer[Any]:
        judged = super()._bound_body()
        if judged.is_valid() and self.tenant:
            self._place(then_problems(self.tenant, judged.validated_data.get("then", ())))
        return judged

    def _field_of(self, error: FieldError) -> tuple[str | None, str]:
        """Return the form field for the longest part of the path that has one, and the message as a sentence."""
        path = error.field.split(".")
        known = (size for size in range(len(path), 0, -1) if ".".join(path[:size]) in self.form_names)
        size = next(known, 1)
        name = ".".join(path[:size])
        field, rest = self.form_names.get(name, name), path[size:]
        in_words = grant_error_sentence if field == "grants" and rest else as_sentence
        message = in_words(rest, error.message)
        return (field if field in self.fields else None), message
