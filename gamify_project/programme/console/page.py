"""The page: the sources, then the differences, then the chosen changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from gamify_project.programme.console.shown import impact_box, row_of, value_of
from gamify_project.programme.console.sources import CopyForm, FileForm, PreviousForm, SourceForm
from gamify_project.programme.faults import Fault, InvalidProgramme
from gamify_project.programme.impact import Impact, impact_of
from gamify_project.programme.models import PreviousProgramme
from gamify_project.programme.planning import ADDED, ARCHIVED, CHANGED, Plan, plan_import
from gamify_project.programme.services import apply_plan
from participants.admin import audit
from participants.admin.authorization import may, require
from participants.admin.picker import open_tenants
from participants.engine import uuid_of
from participants.errors import DomainError
from participants.models import Capability, Tenant

VIEW, IMPORT = "programme.view_previousprogramme", "programme.change_previousprogramme"
DEFAULT_DAYS, MAX_DAYS = 30, 366  # of the past that is played
MAX_DIGITS = 4
OTHER_TENANT = "You chose another tenant in another tab meanwhile. Look at the differences again."


@dataclass
class Page:
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
        shown = {
            "forms": forms_by_source,
            "previous": previous,
            "may_import": may(self.request.user, IMPORT, Capability.PUBLISH),
        }
        return self._render("overview", "Programme", **shown)

    def _differences(self, form: SourceForm, plan: Plan, impact: Impact | None = None) -> HttpResponse:
        counted = plan.counted()
        was_shown = "apply" in self.request.POST or "impact" in self.request.POST
        chosen = set(self.request.POST.getlist("chosen")) if was_shown else None
        shown = {
            "hidden": {**form.hidden(), "version": str(plan.version), "tenant": str(self.tenant.pk)},
            "rows": [row_of(change, chosen) for change in counted.changes],
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
        return plan.only({change.key for change in plan.changes if value_of(change.key) in ticked})

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
            action = "add" if change.action == ADDED else "change"
            require(self.request.user, f"{meta.app_label}.{action}_{meta.model_name}", Capability.PUBLISH)

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
