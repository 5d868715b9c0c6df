"""Console pages of the programme: export, import, copy from another tenant, roll back. Every write is previewed first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from gamify_project.programme.faults import Fault, InvalidProgramme
from gamify_project.programme.files import read_programme, read_stored_programme
from gamify_project.programme.impact import Impact, impact_of
from gamify_project.programme.items import Key, Programme, programme_text
from gamify_project.programme.models import PreviousProgramme
from gamify_project.programme.planning import ADDED, ARCHIVED, CHANGED, Change, Plan, plan_import
from gamify_project.programme.services import apply_plan, previous_programme, programme_of
from gamify_project.programme.words import affected_in_words, impact_in_words, value_as_lines
from participants.admin import audit
from participants.admin.base import for_picked_tenant
from participants.admin.fields import ChoiceField, SwitchField
from participants.admin.panels import Box
from participants.admin.picker import open_tenants, picked_tenant
from participants.api.schema import YAML
from participants.engine import uuid_of
from participants.errors import DomainError
from participants.models import Tenant

VIEW, IMPORT = "programme.view_previousprogramme", "programme.change_previousprogramme"
DEFAULT_DAYS, MAX_DAYS = 30, 366  # of the past that is played
MAX_DIGITS = 4
PRUNES = "Also archive what the source does not contain"
LABELS = {ADDED: "success", CHANGED: "info", ARCHIVED: "warning"}
OTHER_TENANT = "You chose another tenant in another tab meanwhile. Look at the differences again."


class SourceForm(forms.Form):
    """Where a programme comes from. The fields come back hidden with the preview."""

    source: str
    prunes = SwitchField(label=PRUNES)

    def programme(self, tenant: Tenant) -> Programme:
        """Return the programme to import into `tenant`. Raises: DomainError."""
        raise NotImplementedError

    def hidden(self) -> dict[str, str]:
        """Return the values that make the same programme again."""
        return {"source": self.source, **({"prunes": "on"} if self.cleaned_data["prunes"] else {})}


class FileForm(SourceForm):
    source = "file"
    file = forms.FileField(required=False, widget=UnfoldAdminFileFieldWidget, help_text="YAML, at most 1 MiB.")
    text = forms.CharField(
        label="Or its text",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget({"rows": 8, "spellcheck": "false"}),
    )
    field_order = ("file", "text", "prunes")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and bool(cleaned["file"]) == bool(cleaned["text"]):
            raise forms.ValidationError("Give a file or its text.")
        if not self.errors:
            cleaned["data"] = (
                cleaned["file"].read(settings.MAX_BODY_BYTES + 1) if cleaned["file"] else _sent(cleaned["text"])
            )
        return cleaned

    def programme(self, tenant: Tenant) -> Programme:
        return read_programme(self.cleaned_data["data"])

    def hidden(self) -> dict[str, str]:
        return {**super().hidden(), "text": self.cleaned_data["data"].decode("utf-8-sig")}


def _sent(text: str) -> bytes:
    """Return the text of a form field as it was before the browser sent it with CRLF."""
    return text.replace("\r\n", "\n").encode()


class CopyForm(SourceForm):
    source = "tenant"
    origin = ChoiceField(
        choices=[],
        label="Copy from",
        help_text="The definitions of this tenant are compared with those of the tenant that you see.",
    )
    field_order = ("origin", "prunes")

    def __init__(self, *args: Any, tenants: Sequence[Tenant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenants = {str(tenant.pk): tenant for tenant in tenants}
        choices = [(key, f"{tenant.name}, {tenant.environment}") for key, tenant in self.tenants.items()]
        self.fields["origin"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField

    def programme(self, tenant: Tenant) -> Programme:
        return programme_of(self.tenants[self.cleaned_data["origin"]])

    def hidden(self) -> dict[str, str]:
        return {**super().hidden(), "origin": self.cleaned_data["origin"]}


class PreviousForm(SourceForm):
    source = "previous"

    def programme(self, tenant: Tenant) -> Programme:
        return read_stored_programme(previous_programme(tenant).text)

    def clean_prunes(self) -> bool:
        return True  # what was added since must go out of use


def urls() -> list[URLPattern]:
    return [
        path("programme/", admin.site.admin_view(programme_view), name="programme"),
        path("programme/export/", admin.site.admin_view(export_view), name="programme_export"),
    ]


def export_view(request: HttpRequest) -> HttpResponse:
    """Download the programme of the picked tenant."""
    _check_permission(request, VIEW)
    return for_picked_tenant(request, lambda: _export(_tenant(request)))


def _export(tenant: Tenant) -> HttpResponse:
    name = f"{tenant.slug}{'-sandbox' if tenant.is_sandbox else ''}.yaml"
    return HttpResponse(
        programme_text(tenant), content_type=YAML, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def programme_view(request: HttpRequest) -> HttpResponse:
    """GET shows the sources. POST compares one of them with the picked tenant, and with `apply` makes the chosen changes."""
    _check_permission(request, VIEW if request.method != "POST" else IMPORT)
    return for_picked_tenant(request, lambda: _Page(request, _tenant(request)).answer())


def _check_permission(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _tenant(request: HttpRequest) -> Tenant:
    tenant = picked_tenant(request)
    assert tenant is not None, "the page is only shown for a picked tenant"  # noqa: S101
    return tenant


@dataclass
class _Page:
    request: HttpRequest
    tenant: Tenant
    faults: Sequence[Fault] = ()
    refusals: list[str] = field(default_factory=list)

    def answer(self) -> HttpResponse:
        sent = self.request.POST
        forms_by_source = {form.source: form for form in self._forms(sent.get("source", ""))}
        form = forms_by_source.get(sent.get("source", ""))
        if form is None or "edit" in sent or not form.is_valid():
            return self._overview(forms_by_source)
        try:
            plan = plan_import(self.tenant, form.programme(self.tenant), prunes=form.cleaned_data["prunes"])
        except InvalidProgramme as error:
            self.faults = error.faults
        except DomainError as error:
            self.refusals.append(error.message)
        else:
            return self._act(form, plan)
        return self._overview(forms_by_source)

    def _act(self, form: SourceForm, plan: Plan) -> HttpResponse:
        if "impact" in self.request.POST:
            return self._show_impact(form, plan)
        return self._apply(form, plan) if "apply" in self.request.POST else self._differences(form, plan)

    def _forms(self, source: str) -> Iterator[SourceForm]:
        sent = self.request.POST
        others = [tenant for tenant in open_tenants(self.request) if tenant.pk != self.tenant.pk]
        own = sorted(others, key=lambda other: other.slug != self.tenant.slug)  # its counterpart comes first
        yield FileForm(sent if source == FileForm.source else None, self.request.FILES or None)
        yield CopyForm(sent if source == CopyForm.source else None, tenants=own)
        yield PreviousForm(sent if source == PreviousForm.source else None)

    # --- answers

    def _overview(self, forms_by_source: Mapping[str, SourceForm]) -> HttpResponse:
        previous = PreviousProgramme.objects.filter(tenant=self.tenant).first()
        shown = {"forms": forms_by_source, "previous": previous, "may_import": self.request.user.has_perm(IMPORT)}
        return self._render("overview", "Programme", **shown)

    def _differences(self, form: SourceForm, plan: Plan, impact: Impact | None = None) -> HttpResponse:
        counted = plan.counted()
        was_shown = "apply" in self.request.POST or "impact" in self.request.POST
        chosen = set(self.request.POST.getlist("chosen")) if was_shown else None
        shown = {
            "hidden": {**form.hidden(), "version": str(plan.version), "tenant": str(self.tenant.pk)},
            "rows": [_row(change, chosen) for change in counted.changes],
            "counts": [(action, len(counted.of(action))) for action in (ADDED, CHANGED, ARCHIVED)],
            "warnings": counted.warnings,
            "days": self._days(),
            "impact": None if impact is None else impact_box(impact),
        }
        return self._render("differences", "Differences", **shown)

    def _days(self) -> int:
        """Return the length of the past that is played, which the page asks for."""
        sent = self.request.POST.get("days", "")
        return (
            min(max(int(sent), 1), MAX_DAYS)
            if sent.isascii() and sent.isdecimal() and len(sent) <= MAX_DIGITS
            else DEFAULT_DAYS
        )

    def _show_impact(self, form: SourceForm, plan: Plan) -> HttpResponse:
        """Play the past with the chosen changes. Nothing is written."""
        try:
            chosen = self._chosen(plan)
        except InvalidProgramme as error:
            self.faults = error.faults
            return self._differences(form, plan)
        limit = settings.REPLAY_MAX_EVENTS
        return self._differences(form, plan, impact_of(chosen, days=self._days(), now=timezone.now(), max_events=limit))

    def _chosen(self, plan: Plan) -> Plan:
        """Return the changes whose boxes are ticked. Raises: InvalidProgramme."""
        ticked = set(self.request.POST.getlist("chosen"))
        return plan.only({change.key for change in plan.changes if _value(change.key) in ticked})

    def _apply(self, form: SourceForm, plan: Plan) -> HttpResponse:
        problem = self._problem(plan)
        if problem:
            self.refusals.append(problem)
            return self._differences(form, plan)
        try:
            chosen = self._chosen(plan)
            self._check_permissions(chosen)
            apply_plan(chosen, by=f"{self.request.user} in the console", now=timezone.now())
        except InvalidProgramme as error:
            self.faults = error.faults
            return self._differences(form, plan)
        except DomainError as error:
            self.refusals.append(error.message)
            return self._differences(form, plan)
        return self._done(chosen)

    def _problem(self, plan: Plan) -> str:
        sent = self.request.POST
        if uuid_of(sent.get("tenant", "")) != self.tenant.pk:
            return OTHER_TENANT
        if sent.get("version") != str(plan.version):
            return "Definitions were changed since this page was opened. These are the differences now."
        return "" if sent.getlist("chosen") else "Choose at least one change."

    def _check_permissions(self, plan: Plan) -> None:
        """An import needs the permissions that the pages of the definitions need. Raises: PermissionDenied."""
        for change in plan.changes:
            meta = change.kind.model._meta
            _check_permission(
                self.request, f"{meta.app_label}.{'add' if change.action == ADDED else 'change'}_{meta.model_name}"
            )

    def _done(self, plan: Plan) -> HttpResponse:
        counts = ", ".join(f"{len(plan.of(action))} {action}" for action in (ADDED, CHANGED, ARCHIVED))
        audit.record(self.request, self.tenant, audit.CHANGE, f"Imported a programme: {counts}.")
        messages.success(self.request, f"The programme was imported: {counts}.")
        return HttpResponseRedirect(reverse("admin:programme"))

    def _render(self, template: str, title: str, **shown: Any) -> HttpResponse:
        context = {
            **admin.site.each_context(self.request),
            "title": title,
            "content_title": title,
            "tenant": self.tenant,
            "faults": self.faults,
            "refusals": self.refusals,
            **shown,
        }
        return TemplateResponse(self.request, f"admin/programme/{template}.html", context)


def impact_box(impact: Impact) -> Box:
    """Return the table of what the chosen changes would have done."""
    title = f"What the chosen changes would have done in the last {impact.days} days"
    note = "Events and direct awards are played again in memory, for participants with today’s attributes. Streaks, challenges and limits begin at nothing."
    return Box(title, ("", "Present → planned"), list(impact_in_words(impact)), empty="", note=note)


def _value(key: Key) -> str:
    """Return the value of the checkbox of a change."""
    return f"{key.noun}:{key.number}:{key.identity}"


def _row(change: Change, chosen: set[str] | None) -> dict[str, Any]:
    """Return what the page shows of a change. `chosen` are the values of ticked checkboxes; None for all."""
    value = _value(change.key)
    return {
        "value": value,
        "is_chosen": chosen is None or value in chosen,
        "action": change.action,
        "label": LABELS[change.action],
        "noun": change.kind.noun,
        "name": change.name,
        "code": change.key.identity,
        "affected": affected_in_words(change),
        "needs": [str(key) for key in change.needs],
        "differences": [
            {"name": name, "before": value_as_lines(change.before.get(name)), "after": value_as_lines(after)}
            for name, after in change.after.items()
            if name != change.kind.identity
        ],
        "is_new": change.action == ADDED,
    }
