"""The form of a streak. Its fields make the body that an API client would send, and that body validates them."""

from collections.abc import Sequence
from typing import Any

from rest_framework.serializers import Serializer

from gamify.facts.admin.seen import EVENTS, PROPERTIES
from gamify.facts.engine.conditions import ConditionKind
from participants.admin.conditions import ConditionsField
from participants.admin.definitions import DefinitionForm, color_field, picture_field
from participants.admin.fields import (
    ChoiceField,
    IntegerField,
    LineField,
    NumberField,
    SwitchField,
    WordsField,
    without_empty,
)
from participants.admin.lengths import LengthField
from participants.admin.tenants import timezone_widget
from participants.errors import FieldError
from streaks.admin.milestones import MilestonesField
from streaks.admin.words import complete_message
from streaks.definitions import ConsoleStreakChanges, NewConsoleStreak, milestone_problems
from streaks.definitions.config import CALENDAR
from streaks.engine.windows import ROLLING, Period
from streaks.models import PARTICIPANT_ZONE, PERIODS, Status
from streaks.selectors.configs import WEEKDAYS, filter_of

STATUSES = [(Status.ACTIVE.value, "active"), (Status.DRAFT.value, "draft")]
KINDS = [
    (ConditionKind.COUNT.value, "a number of events"),
    (ConditionKind.SUM.value, "the sum of a property"),
    (ConditionKind.DISTINCT.value, "a number of different values of a property"),
]
WINDOW = ("period", "duration_seconds", "timezone", "reset_time", "week_start")
CONDITION = ("condition_type", "condition_field", "condition_min")
ELSEWHERE = ("drop_expression", *WINDOW, *CONDITION)


def _zone_field() -> LineField:
    travelling = (PARTICIPANT_ZONE, "Each participant's own")
    return LineField(
        label="Time zone",
        widget=timezone_widget(blank="The tenant's zone", others=[travelling]),
        help_text="The zone in which days begin. Participants without a zone of their own use the tenant's zone.",
    )


class StreakForm(DefinitionForm):
    create_body, update_body = NewConsoleStreak, ConsoleStreakChanges
    only_new = ("code", "status")
    form_names = {
        **{f"window.{name}": name for name in WINDOW},
        **{f"condition.{name.removeprefix('condition_')}": name for name in CONDITION},
        "window": "period",
        "condition": "condition_type",
    }

    only_edited = ("drop_expression",)
    unset_words = {
        "fact_filter": "every such event",
        "reset_time": "midnight",
        "at_risk_seconds": "a sixth of the period",
        "milestones": "none",
    }

    is_active = None  # type: ignore[assignment]  # removes the parent's field: `status` replaces it
    status = ChoiceField(
        choices=STATUSES, help_text="A draft is not counted and not visible to participants until you activate it."
    )
    event_types = WordsField(
        label="Events",
        suggests=EVENTS,
        help_text="Separated by commas; * for any event. If empty: the event that is named like the code.",
    )
    fact_filter = ConditionsField(
        label="Only events where",
        required=False,
        suggests=PROPERTIES,
        help_text="All conditions must hold. Without conditions every such event counts.",
    )
    drop_expression = SwitchField(
        label="Remove these conditions", help_text="Then every such event counts, and you can set conditions here."
    )
    period = ChoiceField(
        choices=PERIODS, help_text="Rolling: the first period begins with the participant's first event."
    )
    duration_seconds = LengthField(label="Length of a period", unit="days", help_text="Only for rolling periods.")
    timezone = _zone_field()
    reset_time = LineField(
        label="Time of day",
        help_text="Periods begin at this time, such as 04:00. If empty: midnight. Hourly periods use only the minutes.",
    )
    week_start = ChoiceField(
        label="Weeks begin on", choices=[(str(index), day.title()) for index, day in enumerate(WEEKDAYS)]
    )
    condition_type = ChoiceField(label="A period is completed by", choices=KINDS)
    condition_field = LineField(
        label="Property", suggests=PROPERTIES, help_text="A property of the event, such as amount or order.total."
    )
    condition_min = NumberField(label="At least", initial=1)
    grace_periods = IntegerField(
        label="Grace",
        initial=0,
        help_text="Number of periods that may be missed in a row. They never add to the count.",
    )
    reset_on_miss = SwitchField(
        label="Missing more ends the run", initial=True, help_text="Off: every completed period counts forever."
    )
    at_risk_seconds = LengthField(
        label="At-risk lead",
        unit="hours",
        help_text="A run is at risk during this time before it breaks. If empty: a sixth of the period. 0: never at risk.",
    )
    milestones = MilestonesField(
        required=False, help_text="Each length once. A milestone without a reward is only announced to clients."
    )
    icon_url = picture_field()
    color = color_field()

    def keep_as_draft(self) -> None:
        if "status" in self.fields:
            field = self.fields["status"]
            field.disabled, field.initial = True, Status.DRAFT.value
            field.help_text = "Somebody who may publish activates it."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        condition = {f"condition_{name}": value for name, value in self.instance.condition.items()}
        self.initial.update(**condition, fact_filter=self._short_form())
        self.fields["milestones"].name_rewards_of(self.tenant)  # type: ignore[attr-defined]

    def _short_form(self) -> Any:
        return None if self.instance._state.adding else filter_of(self.instance)

    def clean_event_types(self) -> list[str]:
        """Default to the streak's code. A new streak has no code yet: `save_new` adds the default, as the API does."""
        return self.cleaned_data["event_types"] or [code for code in [self.instance.code] if code]

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        body = super().body([name for name in names if name not in ELSEWHERE])
        if any(name in names for name in WINDOW):
            body["window"] = self._window()
        if any(name in names for name in CONDITION):
            body["condition"] = self._condition()
        if self.cleaned_data.get("drop_expression"):
            body["fact_filter"] = None
        return body

    def _window(self) -> dict[str, Any]:
        """The window of the body: only the fields that the chosen period uses."""
        values = {name: self.cleaned_data.get(name) for name in WINDOW}
        if values["period"] == ROLLING:
            return without_empty({"type": ROLLING, "duration_seconds": values["duration_seconds"]})
        begin = {name: values[name] for name in ("period", "timezone", "reset_time")}
        week = {"week_start": WEEKDAYS[int(values["week_start"] or 0)]} if values["period"] == Period.WEEKLY else {}
        return without_empty({"type": CALENDAR, **begin, **week})

    def _condition(self) -> dict[str, Any]:
        kind, field, minimum = (self.cleaned_data.get(name) for name in CONDITION)
        return {"type": kind, "min": minimum} | ({} if kind == ConditionKind.COUNT else {"field": field})

    def _bound_body(self) -> Serializer[Any]:
        judged = super()._bound_body()
        if judged.is_valid() and self.tenant:
            self._place(milestone_problems(self.tenant, judged.validated_data.get("milestones", [])))
        return judged

    def _field_of(self, error: FieldError) -> tuple[str | None, str]:
        field, message = super()._field_of(error)
        complete = complete_message(error, str(self.fields[field].label) if field else "")
        return field, message if complete == error.message else complete
