"""The pages. Every undo is previewed first: the report of a dry run has the button that repeats it for real."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from gamify_project.undo.models import Undo, UndoItem
from gamify_project.undo.selectors import Report, get_undo, kept_page, report_of
from gamify_project.undo.services import CAUSE_KINDS, MAX_VERSION, Cause, UndoNotFound, UndoRequest, ask, confirm
from participants.actors import MAX_KEY, MAX_REASON, ActorKind
from participants.admin import audit
from participants.admin.access import link
from participants.admin.actors import KIND_WORDS
from participants.admin.picker import picked_tenant
from participants.admin.refusals import place
from participants.engine import uuid_of
from participants.errors import DomainError
from participants.models import Participant, Tenant

PERMISSION = "undo.add_undo"
SHOWN_UNDOS, SHOWN_KEPT = 20, 100
REFRESH_SECONDS = 2
KINDS = [(kind, KIND_WORDS[ActorKind(kind)]) for kind in CAUSE_KINDS]


class UndoForm(forms.Form):
    refused_names: ClassVar = {"cause": "actor_id"}

    kind = forms.ChoiceField(label="Who", choices=KINDS, widget=UnfoldAdminSelectWidget)
    actor_id = forms.CharField(
        label="Id",
        max_length=MAX_KEY,
        widget=UnfoldAdminTextInputWidget,
        help_text="Id of the key, the user or the import, or <code>rule:CODE</code> for a rule. <em>Activity</em> shows it.",
    )
    version = forms.IntegerField(
        label="Version",
        required=False,
        min_value=1,
        max_value=MAX_VERSION,
        widget=UnfoldAdminTextInputWidget,
        help_text="Of a definition: only what it gave while this version was in force.",
    )
    since = forms.SplitDateTimeField(label="Since", widget=UnfoldAdminSplitDateTimeWidget, help_text="In UTC.")
    until = forms.SplitDateTimeField(
        label="Until", required=False, widget=UnfoldAdminSplitDateTimeWidget, help_text="In UTC. Empty: now."
    )
    reason = forms.CharField(
        required=False,
        max_length=MAX_REASON,
        widget=UnfoldAdminTextInputWidget,
        help_text="Stored with all reversals. Clients can read it.",
    )

    def request(self) -> UndoRequest:
        data = self.cleaned_data
        cause = Cause(data["kind"], data["actor_id"], data["version"])
        return UndoRequest(cause, data["since"], data["until"], data["reason"] or None, is_dry_run=True)


def form_page(request: HttpRequest) -> HttpResponse:
    tenant = _tenant(request)
    form = UndoForm(request.POST if request.method == "POST" else None, initial=_from_activity(request))
    if request.method == "POST" and form.is_valid():
        wanted = form.request()
        undo = _asked(request, lambda: ask(tenant=tenant, request=wanted, now=timezone.now()), form)
        if undo is not None:
            return HttpResponseRedirect(_url(undo))
    undos = Undo.objects.of(tenant).newest_first()[:SHOWN_UNDOS]
    return _render(request, "form", "Undo", form=form, undos=undos)


def report_page(request: HttpRequest, undo_id: str) -> HttpResponse:
    tenant = _tenant(request)
    try:
        undo = get_undo(tenant, undo_id)
    except UndoNotFound as error:
        raise Http404 from error
    refusal = forms.Form({})
    if request.method == "POST" and undo.is_dry_run:
        started = _asked(request, lambda: confirm(preview=undo, now=timezone.now()), refusal)
        if started is not None:
            return HttpResponseRedirect(_url(started))
    return _report(request, undo, report_of(undo), refusal)


def _tenant(request: HttpRequest) -> Tenant:
    tenant = picked_tenant(request)
    assert tenant is not None, "the page is only shown for a picked tenant"  # noqa: S101
    return tenant


def _asked(request: HttpRequest, ask_for: Callable[[], Undo], form: forms.Form) -> Undo | None:
    """Ask for an undo and add the audit row, or put the refusal on the form."""
    try:
        undo = ask_for()
    except DomainError as refusal:
        place(form, refusal)
        return None
    audit.record(request, undo, audit.ADDITION, "Previewed." if undo.is_dry_run else "Started.")
    return undo


def _from_activity(request: HttpRequest) -> dict[str, Any]:
    """Return what a link from the activity fills in: `actor` as `kind:id`."""
    kind, _, actor_id = request.GET.get("actor", "").partition(":")
    now = timezone.now()
    return {"kind": kind, "actor_id": actor_id, "since": _midnight(now)}


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _url(undo: Undo) -> str:
    return reverse("admin:undo_report", args=[undo.pk])


def _report(request: HttpRequest, undo: Undo, report: Report, refusal: forms.Form) -> HttpResponse:
    kept, cursor = kept_page(undo, after=uuid_of(request.GET.get("cursor", "")), limit=SHOWN_KEPT)
    title = "Preview of an undo" if undo.is_dry_run else "Undo"
    shown = {
        "undo": undo,
        "report": report,
        "types": [(name.replace(".", " "), counts) for name, counts in report.by_type.items()],
        "kept": [(_whose(request, item), item) for item in kept],
        "older": f"?cursor={cursor}" if cursor else "",
        "refusal": refusal,
        "is_running": undo.is_unfinished,
    }
    response = _render(request, "report", title, **shown)
    if undo.is_unfinished:
        response.headers["Refresh"] = str(REFRESH_SECONDS)
    return response


def _whose(request: HttpRequest, item: UndoItem) -> str:
    """Return a link to the participant of an item."""
    if item.participant_name is None:
        return "deleted participant"
    return link(item.participant_name, Participant, item.participant_id, request.user)


def _render(request: HttpRequest, template: str, title: str, **shown: Any) -> TemplateResponse:
    context = {**admin.site.each_context(request), "title": title, "content_title": title, **shown}
    return TemplateResponse(request, f"admin/undo/{template}.html", context)
