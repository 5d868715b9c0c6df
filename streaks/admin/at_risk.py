"""Streaks at risk: the list of runs that are about to break, with bulk freezes and nudges, and what became of those of the last day."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil

from participants.admin import audit
from participants.admin.access import link_to
from participants.admin.authorization import Needs, may
from participants.admin.base import ReadOnlyAdmin, TenantDataAdmin, for_picked_tenant
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import ReasonField
from participants.admin.picker import picked_tenant
from participants.errors import DomainError
from participants.models import Capability, Tenant
from streaks import services
from streaks.admin.care import CARE_PERMISSION, REASON
from streaks.models import ParticipantStreak, Streak
from streaks.selectors.reach import runs_at_risk, runs_that_were_at_risk
from streaks.services import CareRequest

LAST_DAY = timedelta(days=1)
SAVED, LOST = "saved", "lost"
Rows: TypeAlias = "QuerySet[ParticipantStreak]"


class OutcomeFilter(admin.SimpleListFilter):
    """Which runs are listed. Without a choice: those at risk now."""

    title = "list"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(SAVED, "Saved in the last 24 hours"), (LOST, "Lost in the last 24 hours")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "At risk now"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        tenant, now = picked_tenant(request), timezone.now()
        if tenant is None:
            return queryset.none()
        if self.value() not in {SAVED, LOST}:
            return queryset & runs_at_risk(tenant, now=now)
        warned = queryset & runs_that_were_at_risk(tenant, since=now - LAST_DAY, now=now)
        return warned.filter(count__gt=0) if self.value() == SAVED else warned.filter(count=0)


class StreakFilter(admin.SimpleListFilter):
    """Offers the streaks of the picked tenant."""

    title = "streak"
    parameter_name = "streak_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        tenant = picked_tenant(request)
        return list(Streak.objects.of(tenant).order_by("name").values_list("code", "name")) if tenant else []

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return queryset.filter(streak__code=self.value()) if self.value() else queryset


class CareForm(forms.Form):
    reason = ReasonField(help_text=REASON)


@admin.register(ParticipantStreak)
class StreaksAtRiskAdmin(TenantDataAdmin, ReadOnlyAdmin):
    """Rows of participants in streaks. Those that break first come first. Everything else about a row is on the participant's page."""

    needs = Needs(view=Capability.SEE_PARTICIPANTS)
    when_empty = WhenEmpty(
        "No run is about to break. How long before a break a run is at risk is a setting of its streak.",
        "See the streaks",
        "streaks_streak_changelist",
    )
    list_display = ("display_participant", "display_streak", "count", "display_left", "breaks_at", "display_nudged")
    list_display_links = None
    list_filter = (OutcomeFilter, StreakFilter)
    list_select_related = ("participant", "streak")
    list_per_page = 100
    ordering = ("breaks_at", "id")
    sortable_by = ()
    search_fields = ("participant__external_id",)
    search_help_text = "Part of the participant's id"
    actions = ("nudge", "freeze")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Streaks at risk", **(extra_context or {})})

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A row has no page of its own: the participant's page shows it."""
        if object_id is None or request.method == "POST":
            raise PermissionDenied
        return for_picked_tenant(request, self._to_participant, request, object_id)

    def _to_participant(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return HttpResponseRedirect(reverse("admin:participants_participant_change", args=[row.participant_id]))

    def has_care_permission(self, request: HttpRequest) -> bool:
        return may(request.user, CARE_PERMISSION, Capability.CARE)

    @display("participant")
    def display_participant(self, row: Any) -> SafeString | str:
        return link_to(row.participant, row.reader)

    @display("streak")
    def display_streak(self, row: Any) -> SafeString | str:
        return link_to(row.streak, row.reader)

    @display("time left")
    def display_left(self, row: ParticipantStreak) -> str:
        return timeuntil(row.breaks_at, timezone.now()) if row.breaks_at else "–"

    @display("nudged", label={"nudged": "success"})
    def display_nudged(self, row: ParticipantStreak) -> str:
        return "nudged" if row.nudged_of is not None and row.nudged_of in {row.breaks_at, row.warned_of} else ""

    @admin.action(description="Nudge", permissions=["care"])
    def nudge(self, request: HttpRequest, rows: Rows) -> HttpResponse | None:
        about = "Webhooks and the feed get the event streak.nudged for each of them, so that your application can remind them."
        return self._confirm_or_do(request, rows, "nudge", about, _nudge)

    @admin.action(description="Freeze", permissions=["care"])
    def freeze(self, request: HttpRequest, rows: Rows) -> HttpResponse | None:
        about = "The period that is open now is excused for each of them: missing it breaks nothing."
        return self._confirm_or_do(request, rows, "freeze", about, _freeze)

    def _confirm_or_do(
        self,
        request: HttpRequest,
        rows: Rows,
        action: str,
        about: str,
        care: Callable[[Tenant, CareRequest], bool],
    ) -> HttpResponse | None:
        """Ask for the reason first. The second POST contains it and `confirmed`, and then it is done, person by person."""
        chosen = list(rows.select_related("participant", "streak"))
        form = CareForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return self._confirmation_page(request, chosen, action, about, form)
        tenant = picked_tenant(request)
        assert tenant is not None, "the list is only shown for a picked tenant"  # noqa: S101
        outcomes = [_care_for(request, tenant, row, form.cleaned_data["reason"], action, care) for row in chosen]
        refusals = [outcome for outcome in outcomes if outcome]
        messages.success(
            request, f"{action.capitalize()}: done for {len(outcomes) - len(refusals):,} of {len(outcomes):,}."
        )
        for refusal in dict.fromkeys(refusals):
            messages.warning(request, refusal)
        return None

    def _confirmation_page(
        self, request: HttpRequest, rows: Sequence[ParticipantStreak], action: str, about: str, form: forms.Form
    ) -> HttpResponse:
        shown = {
            "rows": [{"pk": row.pk, "name": row.participant.external_id, "code": row.streak.code} for row in rows],
            "title": f"{action.capitalize()} {len(rows):,} {'run' if len(rows) == 1 else 'runs'}",
            "action": action,
            "about": about,
            "form": form,
            "opts": self.opts,
        }
        context = {**self.admin_site.each_context(request), **shown}
        return TemplateResponse(request, "admin/participants/confirm_action.html", context)


def _nudge(tenant: Tenant, care: CareRequest) -> bool:
    return services.nudge(tenant=tenant, request=care, now=timezone.now())


def _freeze(tenant: Tenant, care: CareRequest) -> bool:
    services.freeze(tenant=tenant, request=care, now=timezone.now())
    return True


def _care_for(
    request: HttpRequest,
    tenant: Tenant,
    row: ParticipantStreak,
    reason: str,
    action: str,
    care: Callable[[Tenant, CareRequest], bool],
) -> str:
    """Care for one run, and add the audit row. Return why not, if it was refused."""
    wanted = CareRequest(row.participant.external_id, row.streak.code, reason)
    try:
        if not care(tenant, wanted):
            return f"{row.participant.external_id} had this {action} already."
    except DomainError as refusal:
        return f"{refusal.message}."
    audit.record(request, row.participant, audit.CHANGE, f"{action.capitalize()}: streak {row.streak.code}.")
    return ""
