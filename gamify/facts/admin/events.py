"""Events in the console: the list, the recent events on a participant's page, and the reversal of an event."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold.contrib.filters.admin import FieldTextFilter

from gamify.facts.admin.reversing import REVERSE, undone_in_words
from gamify.facts.admin.traces import explanation_of
from gamify.facts.models import Event
from participants.activity import Activity
from participants.admin.access import link
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.filters import DayFilter
from participants.admin.history import HistoryAdmin
from participants.admin.pages import Link
from participants.admin.panels import Line, Panel, Story, panels
from participants.admin.words import plain, table_of
from participants.models import Capability, Participant

SHOWN_PROPERTIES = 3
LATE = timedelta(minutes=5)
"""An event that was recorded later than this after it happened says when it happened."""


def _links(participant: Participant) -> Iterator[Link]:
    query = urlencode({"q": participant.external_id})
    yield Link("Events", f"{reverse('admin:facts_event_changelist')}?{query}", "bolt", in_menu=True)


def _lines(participant: Participant, items: Sequence[Activity], reader: Any) -> Mapping[UUID, Line]:
    ids = [item.data["event_id"] for item in items]
    events = {str(event.pk): event for event in Event.objects.of(participant).filter(pk__in=ids)}
    return {item.id: _line(item, events.get(item.data["event_id"]), reader) for item in items}


def _line(item: Activity, event: Event | None, reader: Any) -> Line:
    """`event` is None if it does not exist any more."""
    name = item.data["event_name"]
    title = name if event is None else link(name, Event, event.pk, reader)
    if item.type == "event.reversed":
        return Line(format_html(WORDS[item.type], title), detail=" ".join(undone_in_words(item.data["undone"])))
    if event is None:
        return Line(title)
    is_late = item.at - event.occurred_at > LATE
    reversal = link("Reversed", Event, event.pk, reader) if event.reversed_at else ""
    happened = f"It happened at {plain(localtime(event.occurred_at))}." if is_late else ""
    return Line(title, detail=f"{_summary(event)} {happened}".strip(), reversal=reversal)


WORDS = {"event.recorded": "{}", "event.reversed": "Event {} reversed"}


def _summary(event: Event) -> str:
    """Return the first properties in words."""
    return plain(dict(islice(event.properties.items(), SHOWN_PROPERTIES))) if event.properties else ""


def event_links(participant: Participant, event_ids: Iterable[str | None], reader: Any) -> Mapping[str, str]:
    """Return the names of events as links, by their id, for entries that these events led to. At most one query."""
    wanted = {event_id for event_id in event_ids if event_id}
    if not wanted:
        return {}
    names = Event.objects.of(participant).filter(pk__in=wanted).values_list("pk", "name")
    return {str(pk): format_html("event {}", link(name, Event, pk, reader)) for pk, name in names}


VIEW_PERMISSIONS = ("facts.view_event", "facts.change_event")
STORY = Story("event", "Events", "bolt", WORDS, _lines)
panels.register(
    "events",
    Panel(capability=Capability.SEE_PARTICIPANTS, view_permissions=VIEW_PERMISSIONS, links=_links, story=STORY),
)


@admin.register(Event)
class EventAdmin(HistoryAdmin):
    """Events in the order in which they were recorded; for one participant, in the order in which they happened."""

    when_empty = WhenEmpty(
        "Your application has not reported an event yet. It needs an API key for that.",
        "Add an API key",
        "participants_apikey_add",
    )
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
    def display_trace(self, event: Any) -> str:
        return explanation_of(event, event.reader)

    @display("properties")
    def display_properties(self, event: Event) -> SafeString | None:
        return table_of(event.properties)
