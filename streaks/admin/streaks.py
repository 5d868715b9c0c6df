"""The list of streaks and their pages."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.safestring import SafeString

from gamify.facts.admin.listening import ListeningAdmin
from gamify.facts.admin.seen import Mention, fields_of
from gamify.facts.admin.words import expression_in_words
from gamify.facts.services import reference_names
from participants.admin.definitions import DefinitionAdmin
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.models import Tenant
from streaks import services
from streaks.admin.forms import StreakForm
from streaks.admin.switching import PAGES
from streaks.admin.trial import render_trial
from streaks.admin.words import COUNTS_CARRIED_OVER, condition_of, events_of, grace_of, period_of, streak_in_words
from streaks.definitions import model_of_console
from streaks.models import Status, Streak
from streaks.selectors.configs import filter_of

COLORS = {
    Status.ACTIVE.value: "success",
    Status.PAUSED.value: "warning",
    Status.ARCHIVED.value: "danger",
    Status.DRAFT.value: "info",
}
PERIODS = ("period", "duration_seconds", "timezone", "reset_time", "week_start")
ABOUT_CHANGES = (
    "If you change the periods, what completes a period, or grace, counts are carried over: participants keep their counts, and "
    "the new rules apply from that moment on."
)
ABOUT_MILESTONES = "Lengths of a run that are announced to clients. Each may grant a reward."


@admin.register(Streak)
class StreakAdmin(ListeningAdmin):
    when_empty = WhenEmpty(
        "There is no streak yet. Add one, and say which events count.",
        "Add a streak",
        "streaks_streak_add",
    )
    noun, form = services.NOUN, StreakForm
    in_use = {"status": Status.ACTIVE.value, "is_active": True}
    columns = (events_of, period_of, condition_of, grace_of)
    list_filter = ("status", "period")
    exports = {"streaks": {}}
    object_pages = PAGES
    change_form_outer_after_template = "admin/streaks/try_calendar.html"
    readonly_fields = (*DefinitionAdmin.readonly_fields, "display_expression")
    about_activating = "They count again from now on. Runs that were alive when the streaks were paused continue."
    about_deactivating = (
        "They are paused: events are not counted, and no period can be missed. Counts stay, and continue when you activate the "
        "streaks again."
    )
    conditional_fields = {
        "duration_seconds": "period == 'rolling'",
        "timezone": "period != 'rolling'",
        "reset_time": "period != 'rolling'",
        "week_start": "period == 'weekly'",
        "condition_field": "condition_type != 'count'",
    }

    def is_draft(self, row: Streak) -> bool:
        return row.status == Status.DRAFT

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        named = ("name", "description") if obj else ("code", "name", "description", "status", "opened_for")
        return (
            ("Name", {"fields": named}),
            ("What is counted", {"fields": ("event_types", *_filter_fields(obj))}),
            ("Periods", {"fields": PERIODS, "description": ABOUT_CHANGES if obj else ""}),
            ("What completes a period", {"fields": ("condition_type", "condition_field", "condition_min")}),
            ("When a period is missed", {"fields": ("grace_periods", "reset_on_miss", "at_risk_seconds")}),
            ("Milestones", {"fields": ("milestones",), "description": ABOUT_MILESTONES}),
            ("Where it is shown", {"fields": ("display_order", "color", "icon_url")}),
            *([("About", {"fields": (("created_at", "updated_at"),)})] if obj else []),
        )

    def save_model(self, request: HttpRequest, obj: Streak, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        before = obj.revision
        super().save_model(request, obj, form, change)
        if change and obj.revision != before:
            messages.info(request, COUNTS_CARRIED_OVER)

    def mentions(self, row: Streak) -> Iterable[Mention]:
        counted, short = row.condition.get("field"), row.fact_filter
        fields = [*fields_of(row.expression), *fields_of(short, is_filter=True), *([counted] if counted else [])]
        yield Mention(row.event_types or [row.code], fields)

    def in_words(self, row: Streak) -> str:
        return streak_in_words(row, reference_names(row.tenant), tenant_zone=row.tenant.timezone)

    def follows_form(self, request: HttpRequest, row: Streak) -> SafeString:
        return render_trial(request, row, row.tenant)

    def to_fields(self, data: Mapping[str, Any], *, tenant: Tenant) -> Mapping[str, Any]:
        return model_of_console(data, tenant_zone=tenant.timezone)

    def save_new(self, *, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Streak:
        fields = self.to_fields({"event_types": [data["code"]], **data}, tenant=tenant)
        return services.create_streak(tenant=tenant, data=fields, now=now)

    def save_changes(self, row: Streak, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Streak:
        return self.save_settings(row, tenant=tenant, changes=self.to_fields(changes, tenant=tenant), now=now)

    def save_settings(self, row: Streak, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Streak:
        return services.update_streak(row, tenant=tenant, changes=changes, now=now)

    @display("status", ordering="status", label=COLORS)
    def display_status(self, row: Streak) -> str:
        return row.status

    @display("Only events where")
    def display_expression(self, streak: Streak) -> str:
        return expression_in_words(streak.expression or {})


def _filter_fields(streak: Streak | None) -> Iterable[str]:
    """The fields for the event filter: the editor, or the filter in words if the editor cannot express it."""
    is_too_complex = streak is not None and streak.expression is not None and filter_of(streak) is None
    return ("display_expression", "drop_expression") if is_too_complex else ("fact_filter",)
