"""Tries an event: the form, and the page that says whether one definition would count it, as if it were in use. Nothing is written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from gamify.facts.admin.seen import EVENTS, seen_events
from gamify.facts.admin.traces import render_trace
from gamify.facts.engine.events import EventInput, name_problem
from gamify.facts.engine.outcomes import NOT_MATCHED
from gamify.facts.models import Event
from gamify.facts.services import Simulation, simulate_with
from participants.admin.attributes import AttributesField, AttributesWidget
from participants.admin.fields import LineField, SplitMomentField
from participants.admin.refusals import place
from participants.engine import external_id_problem, uuid_of
from participants.errors import DomainError
from participants.ids import new_id
from participants.models import Definition, Tenant

SHOWN_EVENTS = 8
VIEW_EVENTS = "facts.view_event"
ABOUT = (
    "The event is evaluated as if this definition were in use and your application had sent it, together with all other active "
    "definitions. Save your changes first. Nothing is written or published."
)
COUNTS = frozenset({"counted", "not_enough", "matched", "met", "not_yet", "completed", "enrolled"})
"""Results of a definition that took the event into account. Others say why it did not."""


class TryForm(forms.Form):
    participant_id = LineField(label="Participant", strip=False, help_text="Empty or unknown: a new participant.")
    event_name = LineField(
        label="Event", required=True, suggests=EVENTS, help_text="Its name, such as purchase_completed."
    )
    properties = AttributesField(label="Properties", required=False)
    timestamp = SplitMomentField(label="When", help_text="In UTC. Empty: now.")

    def clean_participant_id(self) -> str | None:
        participant_id: str | None = self.cleaned_data["participant_id"]
        return _checked(participant_id, external_id_problem(participant_id) if participant_id else None)

    def clean_event_name(self) -> str | None:
        name: str = self.cleaned_data["event_name"]
        return _checked(name, name_problem(name))

    def event(self, now: datetime) -> EventInput:
        """Return the event that was filled in. The form must be valid."""
        data = self.cleaned_data
        participant_id = data.get("participant_id") or f"simulated-{new_id()}"
        return EventInput(participant_id, data["event_name"], data["timestamp"] or now, self._properties())

    def _properties(self) -> dict[str, Any]:
        """Return the shown properties with their changes."""
        shown = AttributesWidget().value_from_datadict(self.data, self.files, "properties").shown
        merged = {**shown, **self.cleaned_data["properties"]}
        return {name: value for name, value in merged.items() if value is not None}


def _checked(value: str | None, problem: str | None) -> str | None:
    if problem:
        raise forms.ValidationError(problem)
    return value


def page(
    request: HttpRequest, row: Definition, *, noun: str, in_use: Mapping[str, Any], context: Mapping[str, Any]
) -> HttpResponse:
    """Show the form and, once it is sent, whether `row` would count the event. The query parameter `like` names a stored event.

    `in_use` are the fields of `row` when it is in use. Users who may not see events do not choose a participant either.
    """
    may_see = request.user.has_perm(VIEW_EVENTS)
    newest = list(_events_of(row.tenant)[:SHOWN_EVENTS]) if may_see else []
    form = TryForm(request.POST or None, initial=_initial(request, row.tenant) if may_see else {})
    if not may_see:
        del form.fields["participant_id"]
    simulated = _simulated(form, row, in_use) if form.is_bound and form.is_valid() else None
    shown = {
        "title": "Would it count?",
        "explanation": ABOUT,
        "original": row,
        "form": form,
        "names": {EVENTS: sorted(seen_events(row.tenant).names)},
        "newest": newest,
        "verdict": None if simulated is None else verdict(simulated.trace, noun, row.code),
        "trace": None if simulated is None else render_trace(simulated.trace, tenant=row.tenant, reader=request.user),
    }
    return TemplateResponse(request, "admin/facts/would_count.html", {**context, **shown})


def _events_of(tenant: Tenant) -> "QuerySet[Event]":
    return Event.objects.filter(tenant_id=tenant.pk).select_related("participant").order_by("-id")


def _initial(request: HttpRequest, tenant: Tenant) -> dict[str, Any]:
    known = uuid_of(request.GET.get("like", ""))
    event = None if known is None else _events_of(tenant).filter(pk=known).first()
    if event is None:
        return {}
    names = {"participant_id": event.participant.external_id, "event_name": event.name}
    return {**names, "properties": event.properties}


def _simulated(form: TryForm, row: Definition, in_use: Mapping[str, Any]) -> Simulation | None:
    """Simulate the event. Return None if the service refused; the form then shows the error."""
    now = timezone.now()
    try:
        return simulate_with(row, in_use, tenant=row.tenant, event=form.event(now), now=now)
    except DomainError as refusal:
        place(form, refusal)
        return None


def verdict(trace: Mapping[str, Any] | None, noun: str, code: str) -> str:
    """Say in one sentence whether the definition counted the event, from the decision trace."""
    entries = [entry for entry in _entries(trace) if (entry["type"], entry["code"]) == (noun, code)]
    if not entries:
        return "It would not count: the definition does not listen to this event."
    results = [entry["result"] for entry in entries]
    if set(results) == {NOT_MATCHED}:
        return "It would not count: a condition does not hold."
    entry = next((each for each in entries if each["result"] in COUNTS), entries[0])
    note = f" ({entry['note']})" if entry.get("note") else ""
    if entry["result"] in COUNTS:
        return f"It would count{note}."
    return f"It would not count: {entry['result'].replace('_', ' ')}{note}."


def _entries(trace: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    return [entry for fact in (trace or {"facts": []})["facts"] for entry in fact["heard"]]
