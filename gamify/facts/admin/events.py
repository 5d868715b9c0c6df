"""Events in the console: the list, the recent events on a participant's page, and the reversal of an event."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import FieldTextFilter

from gamify.facts.admin.reversing import REVERSE, undone_in_words
from gamify.facts.admin.traces import explanation_of
from gamify.facts.models import Event
from participants.admin.display import display
from participants.admin.filters import DayFilter
from participants.admin.history import HistoryAdmin
from participants.admin.pages import Link
from participants.admin.panels import Moment, Panel, panels
from participants.admin.words import plain, table_of
from participants.models import Capability, Participant

SHOWN_PROPERTIES = 3


def _links(participant: Participant) -> Iterator[Link]:
    query = urlencode({"q": participant.external_id})
    yield Link("Events", f"{reverse('admin:facts_event_changelist')}?{query}", "bolt")


def _moments(participant: Participant, limit: int) -> Iterable[Moment]:
    return [_moment(event) for event in Event.objects.of(participant).newest_first()[:limit]]


def _moment(event: Event) -> Moment:
    url = reverse("admin:facts_event_change", args=[event.pk])
    summary = plain(dict(islice(event.properties.items(), SHOWN_PROPERTIES))) if event.properties else ""
    if event.reversed_at is not None:
        summary = f"reversed {summary}".strip()
    return Moment(event.occurred_at, event.name, summary, "bolt", url)


VIEW_PERMISSIONS = ("facts.view_event", "facts.change_event")
panels.register(
    "events",
    Panel(capability=Capability.SEE_PARTICIPANTS, view_permissions=VIEW_PERMISSIONS, links=_links, moments=_moments),
)


@admin.register(Event)
class EventAdmin(HistoryAdmin):
    """Events in the order in which they were recorded; for one participant, in the order in which they happened."""

    list_display = ("occurred_at", "display_participant", "name", "created_at", "reversed_at")
    list_filter = (("name", FieldTextFilter), ("occurred_at", DayFilter))
    exports = {"events": {"q": "participant_id", "occurred_at_from": "since", "occurred_at_to": "until"}}
    order_of_one = ("-occurred_at", "-id")
    object_pages = (REVERSE,)
    fields = ("display_participant", "name", "display_properties", ("occurred_at", "created_at"), "display_trace", "id")
    when_reversed = (("reversed_at", "reversal_reason"), "display_undone")

    def get_fields(self, request: HttpRequest, obj: Event | None = None) -> Any:
        is_reversed = obj is not None and obj.reversed_at is not None
        return (*self.when_reversed, *self.fields) if is_reversed else self.fields

    @display("reason")
    def reversal_reason(self, event: Event) -> str | None:
        return event.reversal_reason

    @display("What was taken back")
    def display_undone(self, event: Event) -> SafeString | None:
        lines = format_html_join("", "<li>{}</li>", ([line] for line in undone_in_words(event.undone)))
        return format_html('<ul class="console-list">{}</ul>', lines) if lines else None

    @display("Why")
    def display_trace(self, event: Event) -> str:
        return explanation_of(event)

    @display("properties")
    def display_properties(self, event: Event) -> SafeString | None:
        return table_of(event.properties)
