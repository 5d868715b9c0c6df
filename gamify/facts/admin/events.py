"""Events in the console: a list, what happened on the participant's page, and undoing one."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import FieldTextFilter

from gamify.facts.admin.reversing import REVERSE, undone_in_words
from gamify.facts.admin.traces import trace_in_words
from gamify.facts.models import Event
from participants.admin.base import ReadOnlyAdmin, TenantDataAdmin
from participants.admin.display import display
from participants.admin.filters import DayFilter
from participants.admin.pages import Link
from participants.admin.panels import Moment, Panel, panels
from participants.admin.picker import picked_tenant
from participants.models import Participant
from participants.selectors import find_participant

SHOWN_PROPERTIES = 3


def _links(participant: Participant) -> Iterator[Link]:
    query = urlencode({"q": participant.external_id})
    yield Link("Events", f"{reverse('admin:facts_event_changelist')}?{query}", "bolt")


def _moments(participant: Participant, limit: int) -> Iterable[Moment]:
    return [_moment(event) for event in Event.objects.of(participant).newest_first()[:limit]]


def _moment(event: Event) -> Moment:
    url = reverse("admin:facts_event_change", args=[event.pk])
    told = ", ".join(f"{name}: {value}" for name, value in list(event.properties.items())[:SHOWN_PROPERTIES])
    if event.reversed_at is not None:
        told = f"reversed {told}".strip()
    return Moment(event.occurred_at, event.name, told, "bolt", url)


panels.register("events", Panel(links=_links, moments=_moments))


@admin.register(Event)
class EventAdmin(TenantDataAdmin, ReadOnlyAdmin):
    """Newest first by id, in the order in which they came; of one participant, in the order in which they happened."""

    list_display = ("occurred_at", "shown_participant", "name", "created_at", "reversed_at")
    list_filter = (("name", FieldTextFilter), ("occurred_at", DayFilter))
    list_filter_submit = True
    list_select_related = ("participant",)
    search_fields = ("participant__external_id",)  # get_search_results has the rule; this makes the box appear
    search_help_text = "The whole participant id"
    ordering = ("-id",)
    sortable_by = ()
    object_pages = (REVERSE,)
    fields = ("shown_participant", "name", "shown_properties", ("occurred_at", "created_at"), "shown_trace", "id")
    when_reversed = (("reversed_at", "reversal_reason"), "shown_undone")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Event]":
        return super().get_queryset(request).select_related("participant", "tenant")

    def get_fields(self, request: HttpRequest, obj: Event | None = None) -> Any:
        is_reversed = obj is not None and obj.reversed_at is not None
        return (*self.when_reversed, *self.fields) if is_reversed else self.fields

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Event]", search_term: str
    ) -> tuple["QuerySet[Event]", bool]:
        """One participant's events, by the index on them; a part of an id would read them all."""
        if not search_term:
            return queryset, False
        tenant = picked_tenant(request)
        participant = find_participant(tenant, search_term) if tenant else None
        if participant is None:
            return queryset.none(), False
        return queryset.filter(participant=participant).order_by("-occurred_at", "-id"), False

    @display("participant")
    def shown_participant(self, event: Event) -> SafeString:
        url = reverse("admin:participants_participant_change", args=[event.participant_id])
        return format_html('<a href="{}" class="console-link">{}</a>', url, event.participant)

    @display("reason")
    def reversal_reason(self, event: Event) -> str | None:
        return event.reversal_reason

    @display("What was undone")
    def shown_undone(self, event: Event) -> SafeString | None:
        lines = format_html_join("", "<li>{}</li>", ([line] for line in undone_in_words(event.undone)))
        return format_html('<ul class="console-list">{}</ul>', lines) if lines else None

    @display("Why")
    def shown_trace(self, event: Event) -> str:
        return trace_in_words(event.trace)

    @display("properties")
    def shown_properties(self, event: Event) -> SafeString | None:
        if not event.properties:
            return None
        rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", event.properties.items())
        return format_html('<table class="console-table">{}</table>', rows)
