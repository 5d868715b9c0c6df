"""Streaks in the console: their definitions, and where a participant stands in them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils import timezone
from rest_framework import serializers

from participants.admin.conditions import ConditionsField
from participants.admin.definitions import DefinitionAdmin, DefinitionForm, color_field, picture_field
from participants.admin.display import display
from participants.admin.fields import ChoiceField, IntegerField, SwitchField, WordsField
from participants.admin.panels import Box, Panel, panels
from participants.api.fields import LineField
from participants.catalog import catalog_of
from participants.models import Participant, Tenant
from streaks import services
from streaks.definitions import MAX_FACT_TYPE, NewStreak, StreakChanges
from streaks.models import PeriodChoice, Streak
from streaks.selectors import StreakStatus, statuses_of

MAX_EVENT_TYPES = 20
COLUMNS = ("Streak", "Current", "Longest", "Last activity", "State")


class EventTypes(serializers.Serializer[Any]):
    """Several events, each as the one that the Gamify dialect takes."""

    event_types = serializers.ListField(
        child=LineField(max_length=MAX_FACT_TYPE), max_length=MAX_EVENT_TYPES, required=False
    )


class NewConsoleStreak(EventTypes, NewStreak):
    pass


class ConsoleStreakChanges(EventTypes, StreakChanges):
    pass


class StreakForm(DefinitionForm):
    create_body, update_body = NewConsoleStreak, ConsoleStreakChanges

    event_types = WordsField(
        help_text="Separated by commas; * for any event. Left empty: the event called like the code."
    )
    fact_filter = ConditionsField(
        label="Only events where", required=False, help_text="All conditions must hold. None: every such event ticks."
    )
    period = ChoiceField(choices=PeriodChoice.choices, help_text="One tick counts in each, in the tenant's time zone.")
    grace_periods = IntegerField(initial=0, help_text="How many periods may be missed in a row.")
    reset_on_miss = SwitchField(initial=True, help_text="Off: a longer miss does not reset the count.")
    icon_url = picture_field()
    color = color_field()

    def clean_event_types(self) -> list[str]:
        """A new streak takes its code when it is saved, as with the API."""
        return self.cleaned_data["event_types"] or [code for code in [self.instance.code] if code]


@admin.register(Streak)
class StreakAdmin(DefinitionAdmin):
    noun, form = services.NOUN, StreakForm
    settings = (
        "event_types",
        "fact_filter",
        "period",
        "grace_periods",
        "reset_on_miss",
        "color",
        "icon_url",
    )
    columns = ("shown_events", "period", "shown_grace")
    list_filter = ("is_active", "period")

    def save_new(self, *, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Streak:
        return services.create_streak(tenant=tenant, data={"event_types": [data["code"]], **data}, now=now)

    def save_changes(self, row: Streak, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Streak:
        return services.update_streak(row, tenant=tenant, changes=changes, now=now)

    @display("events")
    def shown_events(self, streak: Streak) -> str:
        return ", ".join(streak.event_types)

    @display("grace")
    def shown_grace(self, streak: Streak) -> str:
        return str(streak.grace_periods) if streak.reset_on_miss else "never resets"


def _boxes(participant: Participant) -> Iterable[Box]:
    statuses = statuses_of(participant, catalog_of(participant.tenant), now=timezone.now())
    yield Box("Streaks", COLUMNS, [_row(status) for status in statuses], empty="None yet.")


def _row(status: StreakStatus) -> list[Any]:
    standing = status.standing
    return [status.streak.name, standing.current, standing.longest, status.last_activity_at, _word(status)]


def _word(status: StreakStatus) -> str:
    if status.standing.is_at_risk:
        return "at risk"
    return "alive" if status.standing.current else "broken"


panels.register("streaks", Panel(boxes=_boxes))
