"""A page that shows what an event would earn, and why. It writes nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from gamify.facts.admin.traces import render_trace
from gamify.facts.engine.events import EventInput, name_problem
from gamify.facts.services import Simulation, simulate
from participants.admin.attributes import AttributesField
from participants.admin.fields import LineField, SplitMomentField
from participants.admin.refusals import place
from participants.engine import external_id_problem
from participants.errors import DomainError
from participants.ids import new_id
from participants.models import Tenant

EXPLANATION = (
    "The event is evaluated as if your application had sent it. The page shows what each of your definitions makes of it. Nothing is "
    "written or published."
)


class TryForm(forms.Form):
    participant_id = LineField(label="Participant", strip=False, help_text="Empty or unknown: a new participant.")
    event_name = LineField(label="Event", required=True, help_text="Its name, such as purchase_completed.")
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
        participant_id = data["participant_id"] or f"simulated-{new_id()}"
        return EventInput(participant_id, data["event_name"], data["timestamp"] or now, data["properties"])


def _checked(value: str | None, problem: str | None) -> str | None:
    if problem:
        raise forms.ValidationError(problem)
    return value


def page(request: HttpRequest, *, tenant: Tenant, context: Mapping[str, Any]) -> HttpResponse:
    """Show the form and, once it is sent, what the event would earn. The query parameter `event` fills in its name."""
    form = TryForm(request.POST or None, initial={"event_name": request.GET.get("event", "")})
    simulated = _simulated(tenant, form) if form.is_bound and form.is_valid() else None
    shown = {
        "title": "Try an event",
        "explanation": EXPLANATION,
        "form": form,
        "trace": None if simulated is None else render_trace(simulated.trace, tenant=tenant, reader=request.user),
    }
    return TemplateResponse(request, "admin/rules/try_event.html", {**context, **shown})


def _simulated(tenant: Tenant, form: TryForm) -> Simulation | None:
    """Simulate the event. Return None if the service refused; the form then shows the error."""
    now = timezone.now()
    try:
        return simulate(tenant=tenant, event=form.event(now), now=now)
    except DomainError as refusal:
        place(form, refusal)
        return None
