"""Amnesties in the console: declared after a preview, and undone. They are never edited and never deleted."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from participants.admin import audit
from participants.admin.authorization import Needs
from participants.admin.base import TenantDataAdmin, TenantDataForm, for_picked_tenant
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import DayField, ReasonField, check_line
from participants.admin.pages import Done, ObjectPage
from participants.admin.refusals import place
from participants.admin.tenants import timezone_widget
from participants.errors import DomainError
from participants.models import Capability, Tenant
from streaks import services
from streaks.admin.words import reach_line, total_line
from streaks.models import Amnesty, Status, Streak
from streaks.selectors.reach import reach_of

MAX_NAME = 100
MAX_PREVIEW_LINES = 20
PAGE = {
    "title": "Declare an amnesty",
    "explanation": "Periods that overlap these days cannot be missed. Runs that broke on past days are alive again. You can undo an "
    "amnesty.",
    "button": "Declare it",
    "review_button": "Preview",
}


class AmnestyForm(TenantDataForm):
    refused_names: Mapping[str, str] = {"from": "from_on", "to": "to_on"}

    name = forms.CharField(
        max_length=MAX_NAME,
        widget=UnfoldAdminTextInputWidget,
        validators=[check_line],
        help_text="What happened, such as “Outage on Monday”.",
    )
    from_on = DayField(label="From", widget=UnfoldAdminTextInputWidget({"type": "date"}))
    to_on = DayField(label="To", widget=UnfoldAdminTextInputWidget({"type": "date"}), help_text="This day is included.")
    timezone = forms.CharField(label="Time zone", widget=timezone_widget(), help_text="The zone of these days.")
    streak_codes = forms.MultipleChoiceField(
        label="Streaks",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Select none for all streaks, including streaks that you define later.",
    )
    reason = ReasonField(help_text="For your colleagues.")

    class Meta:
        model = Amnesty
        fields = ("name", "from_on", "to_on", "timezone", "streak_codes", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.tenant:
            self.fields["timezone"].initial = self.tenant.timezone
            self.initial["timezone"] = self.tenant.timezone
            choices = [(streak.code, streak.name) for streak in _streaks(self.tenant)]
            self.fields["streak_codes"].choices = choices  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        """Skip Django's validation of the model: the service validates."""

    def data_of_model(self) -> dict[str, Any]:
        """The fields for the service. No selected streak means all streaks."""
        values = {name: self.cleaned_data[name] for name in self._meta.fields or ()}
        return {**values, "streak_codes": values["streak_codes"] or None}


def _streaks(tenant: Tenant, codes: Iterable[str] | None = None) -> list[Streak]:
    """The streaks that an amnesty can concern, in display order. `codes` None means all."""
    streaks = Streak.objects.of(tenant).exclude(status=Status.ARCHIVED)
    return list((streaks if codes is None else streaks.filter(code__in=codes)).in_order())


def _preview(tenant: Tenant, codes: Iterable[str] | None) -> Iterator[str]:
    """The affected participants: one line for all streaks together, then one line per streak."""
    streaks, now = [each for each in _streaks(tenant, codes) if each.status != Status.DRAFT], timezone.now()
    if not streaks:
        yield "No streak is affected."
    if len(streaks) > 1:
        yield total_line(reach_of(tenant, [streak.pk for streak in streaks], now=now))
    for streak in streaks[:MAX_PREVIEW_LINES]:
        yield reach_line(streak.name, reach_of(tenant, [streak.pk], now=now))
    if len(streaks) > MAX_PREVIEW_LINES:
        yield f"And {len(streaks) - MAX_PREVIEW_LINES:,} more streaks."


def _undo(request: HttpRequest, amnesty: Amnesty, data: Mapping[str, Any]) -> Done:
    services.undo_amnesty(tenant=amnesty.tenant, amnesty_id=amnesty.pk, now=timezone.now())
    return Done(f"Undone: {amnesty}.", "Undone.")


UNDO = ObjectPage(
    name="undo",
    title="Undo",
    explanation="The days can be missed again: runs that are alive only because of this amnesty break. It stays in the list as undone.",
    permission="streaks.change_amnesty",
    capability=Capability.PUBLISH,
    perform=_undo,
    icon="undo",
    is_dangerous=True,
    is_offered=lambda amnesty: amnesty.undone_at is None,
    preview=lambda amnesty: _preview(amnesty.tenant, amnesty.streak_codes),
)


@admin.register(Amnesty)
class AmnestyAdmin(TenantDataAdmin):
    needs = Needs(view=Capability.SEE_DEFINITIONS, add=Capability.PUBLISH)
    when_empty = WhenEmpty(
        "There is no amnesty yet. Add one to excuse days for all participants.",
        "Add an amnesty",
        "streaks_amnesty_add",
    )
    form = AmnestyForm
    list_display = ("name", "from_on", "to_on", "timezone", "display_streaks", "display_status", "created_at")
    search_fields = ("name", "reason")
    search_help_text = "Part of the name or the reason"
    ordering = ("-created_at",)
    sortable_by = ("from_on", "created_at")
    object_pages = (UNDO,)
    fields = ("name", ("from_on", "to_on"), "timezone", "display_streaks", "reason", ("created_at", "undone_at"), "id")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # clients were informed about its days: undo it and declare another

    def object_facts(self, row: Amnesty) -> list[tuple[str, Any]]:
        return [("status", self.display_status(row))]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return for_picked_tenant(request, self._add_page, request)

    def _add_page(self, request: HttpRequest) -> HttpResponse:
        """Three steps: the empty form, the preview of a valid form, and the declaration after the confirmation."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = type("Form", (AmnestyForm,), {"request": request})(request.POST or None)
        is_complete = request.method == "POST" and "edit" not in request.POST and form.is_valid()
        amnesty = self._declare(request, form) if is_complete else None
        if amnesty is None:
            return self._page(request, form)
        if amnesty.pk is None:
            days = f"{amnesty.from_on} to {amnesty.to_on}, {amnesty.timezone}. Affected participants:"
            lines = [days, *_preview(form.tenant, amnesty.streak_codes)]
            return self._page(request, form, original=amnesty, preview=lines, is_reviewed=True)
        messages.success(request, f"Declared: {amnesty}.")
        return HttpResponseRedirect(reverse("admin:streaks_amnesty_change", args=[amnesty.pk]))

    def _declare(self, request: HttpRequest, form: Any) -> Amnesty | None:
        """Declare the amnesty if it is confirmed, else do a dry run, which returns one without an id.

        Returns None if the service refuses; the form then shows the error.
        """
        is_preview = "confirmed" not in request.POST
        try:
            with transaction.atomic():
                amnesty = services.declare_amnesty(
                    tenant=form.tenant, data=form.data_of_model(), now=timezone.now(), dry_run=is_preview
                )
                if not is_preview:
                    audit.record(request, amnesty, audit.ADDITION, "Declared.")
                return amnesty
        except DomainError as refusal:
            place(form, refusal)
            return None

    def _page(self, request: HttpRequest, form: Any, **preview: Any) -> HttpResponse:
        shown = {"page": PAGE, "title": PAGE["title"], "opts": self.opts, "form": form}
        back = {"back": reverse("admin:streaks_amnesty_changelist")}
        context = {**self.admin_site.each_context(request), **shown, **back, **preview}
        return TemplateResponse(request, "admin/participants/object_page.html", context)

    @display("streaks")
    def display_streaks(self, amnesty: Amnesty) -> str:
        return "all" if amnesty.streak_codes is None else ", ".join(amnesty.streak_codes)

    @display("status", label={"in force": "success", "undone": "warning"})
    def display_status(self, amnesty: Amnesty) -> str:
        return "in force" if amnesty.undone_at is None else "undone"
