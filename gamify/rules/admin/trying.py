"""A page that shows what an event would earn, and why. It writes nothing."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from gamify.facts.admin.traces import render_trace
from gamify.facts.admin.trying import TryForm
from gamify.facts.services import Simulation, simulate
from participants.admin.refusals import place
from participants.errors import DomainError
from participants.models import Tenant

EXPLANATION = (
    "The event is evaluated as if your application had sent it. The page shows what each of your definitions makes of it. Nothing is "
    "written or published."
)


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
