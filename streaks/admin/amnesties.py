"""Amnesties: added after a look at whom they touch, and undone. Never edited, never deleted."""

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
from participants.admin.base import TenantDataAdmin, TenantDataForm, of_picked_tenant
from participants.admin.display import display
from participants.admin.fields import DayField, ReasonField, check_line
from participants.admin.pages import Done, ObjectPage
from participants.admin.refusals import place
from participants.admin.tenants import timezone_widget
from participants.errors import DomainError
from participants.models import Tenant
from streaks import services
from streaks.admin.words import reach_line, streaks_of, total_line
from streaks.models import Amnesty, Status, Streak
from streaks.selectors.reach import reach_of

MAX_NAME = 100
SHOWN_STREAKS = 20
EXPLANATION = "Nobody can miss a period that these days touch, and runs that broke on days which have passed live again. You can undo it."


class AmnestyForm(TenantDataForm):
    refused_names: Mapping[str, str] = {"from": "from_on", "to": "to_on"}

    name = forms.CharField(
        max_length=MAX_NAME,
        widget=UnfoldAdminTextInputWidget,
        validators=[check_line],
        help_text="What happened: “Outage on Monday”.",
    )
    from_on = DayField(label="From", widget=UnfoldAdminTextInputWidget({"type": "date"}))
    to_on = DayField(label="To", widget=UnfoldAdminTextInputWidget({"type": "date"}), help_text="This day is included.")
    timezone = forms.CharField(label="Time zone", widget=timezone_widget(), help_text="In which these days are meant.")
    streak_codes = forms.MultipleChoiceField(
        label="Streaks",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Leave all empty for every streak, also those defined later.",
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
        """Django's hook for what the model has to say; here the service has."""

    def service_arguments(self) -> dict[str, Any]:
        """What the service is asked for; no streak is every streak."""
        cleaned = self.cleaned_data
        return {
            "tenant": self.tenant,
            "name": cleaned["name"],
            "first": cleaned["from_on"],
            "last": cleaned["to_on"],
            "timezone": cleaned["timezone"],
            "streak_codes": cleaned["streak_codes"] or None,
            "reason": cleaned["reason"],
        }


def _streaks(tenant: Tenant, codes: Iterable[str] | None = None) -> list[Streak]:
    """Those that an amnesty may be about, in display order."""
    streaks = Streak.objects.of(tenant).exclude(status=Status.ARCHIVED)
    return list((streaks if codes is None else streaks.filter(code__in=codes)).in_order())


def _preview(tenant: Tenant, codes: Iterable[str] | None) -> Iterator[str]:
    """Whom it touches: all together, then streak by streak."""
    streaks, now = [each for each in _streaks(tenant, codes) if each.status != Status.DRAFT], timezone.now()
    if not streaks:
        yield "There is no streak that it touches."
    if len(streaks) > 1:
        yield total_line(reach_of(tenant, [streak.pk for streak in streaks], now=now))
    for streak in streaks[:SHOWN_STREAKS]:
        yield reach_line(streak.name, reach_of(tenant, [streak.pk], now=now))
    if len(streaks) > SHOWN_STREAKS:
        yield f"And {len(streaks) - SHOWN_STREAKS:,} more streaks."


def _undo(request: HttpRequest, amnesty: Amnesty, data: Mapping[str, Any]) -> Done:
    services.undo_amnesty(tenant=amnesty.tenant, amnesty_id=amnesty.pk, now=timezone.now())
    return Done(f"Undone: {amnesty}.", "Undone.")


UNDO = ObjectPage(
    name="undo",
    title="Undo",
    explanation="The days can be missed again: runs that live by this amnesty alone break. It stays in the list as undone.",
    button="Undo",
    permission="streaks.change_amnesty",
    perform=_undo,
    icon="undo",
    is_dangerous=True,
    is_offered=lambda amnesty: amnesty.undone_at is None,
    preview=lambda amnesty: _preview(amnesty.tenant, amnesty.streak_codes),
)


@admin.register(Amnesty)
class AmnestyAdmin(TenantDataAdmin):
    form = AmnestyForm
    list_display = ("name", "from_on", "to_on", "timezone", "display_streaks", "display_status", "created_at")
    search_fields = ("name", "reason")
    search_help_text = "Part of the name or the reason"
    ordering = ("-created_at",)
    sortable_by = ("from_on", "created_at")
    object_pages = (UNDO,)
    fields = ("name", ("from_on", "to_on"), "timezone", "display_streaks", "reason", ("created_at", "undone_at"), "id")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # what it excused was told to clients: undo it, and declare another

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def object_facts(self, row: Amnesty) -> list[tuple[str, Any]]:
        return [("status", self.display_status(row))]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return of_picked_tenant(request, lambda: self._ask(request))

    def _ask(self, request: HttpRequest) -> HttpResponse:
        """The form; filled in, whom it touches; confirmed, it is done."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = type("Form", (AmnestyForm,), {"request": request})(request.POST or None)
        is_asked = request.method == "POST" and "edit" not in request.POST and form.is_valid()
        amnesty = self._declare(request, form) if is_asked else None
        if amnesty is None:
            return self._page(request, form)
        if amnesty.pk is None:
            preview = list(_preview(form.tenant, amnesty.streak_codes))
            return self._page(request, form, amnesty=amnesty, preview=preview)
        messages.success(request, f"Declared: {amnesty}.")
        return HttpResponseRedirect(reverse("admin:streaks_amnesty_change", args=[amnesty.pk]))

    def _declare(self, request: HttpRequest, form: Any) -> Amnesty | None:
        """Without an id until it is confirmed; None where the service refused, which the form then shows."""
        is_look = "confirmed" not in request.POST
        try:
            with transaction.atomic():
                amnesty = services.declare_amnesty(**form.asked(), now=timezone.now(), dry_run=is_look)
                if not is_look:
                    audit.record(request, amnesty, audit.ADDITION, "Declared.")
                return amnesty
        except DomainError as refusal:
            place(form, refusal)
            return None

    def _page(self, request: HttpRequest, form: Any, **shown: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Declare an amnesty",
            "explanation": EXPLANATION,
            "form": form,
            **shown,
        }
        return TemplateResponse(request, "console/amnesty.html", context)

    @display("streaks")
    def display_streaks(self, amnesty: Amnesty) -> str:
        return streaks_of(amnesty)

    @display("status", label={"in force": "success", "undone": "warning"})
    def display_status(self, amnesty: Amnesty) -> str:
        return "in force" if amnesty.undone_at is None else "undone"
