"""Claims: to read, to fulfil and to cancel."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from participants.admin.base import ReadOnlyAdmin, TenantDataAdmin
from participants.admin.display import display
from participants.admin.fields import ReasonField
from participants.admin.filters import DayFilter
from participants.admin.pages import Done, ObjectPage, PageForm
from participants.admin.picker import picked_tenant
from participants.selectors import find_participant
from rewards import services
from rewards.models import Claim, ClaimStatus

COLORS = {"claimed": "info", "fulfilled": "success", "pending": "warning", "cancelled": "danger"}
OPEN = (ClaimStatus.PENDING, ClaimStatus.CLAIMED, ClaimStatus.FULFILLED)

ABOUT = (
    "shown_participant",
    ("reward_name", "reward_type"),
    ("shown_status", "code_value"),
    ("points_deducted", "reason"),
)
OF_MULTIPLIERS = (("shown_multiplier", "active_until"),)
WHEN = (("claimed_at", "closed_at"), "id")


class WhyForm(PageForm):
    reason = ReasonField()


def _cancel(request: HttpRequest, claim: Claim, data: Mapping[str, Any]) -> Done:
    services.cancel(tenant=claim.tenant, claim_id=str(claim.pk), reason=data["reason"], now=timezone.now())
    return Done("Cancelled.", "Cancelled.")


def _fulfil(request: HttpRequest, claim: Claim, data: Mapping[str, Any]) -> Done:
    services.fulfil(tenant=claim.tenant, claim_id=str(claim.pk), reason=data["reason"], now=timezone.now())
    return Done("Fulfilled.", "Fulfilled.")


FULFIL = ObjectPage(
    name="fulfil",
    title="Fulfil",
    explanation="It was sent, switched on or used.",
    button="Fulfil",
    permission="rewards.change_claim",
    perform=_fulfil,
    form_class=WhyForm,
    icon="check_circle",
    is_offered=lambda claim: claim.status == ClaimStatus.CLAIMED,
)
CANCEL = ObjectPage(
    name="cancel",
    title="Cancel",
    explanation="Its points return, and its piece of the inventory. A code that was handed out may have been used, and does not return.",
    button="Cancel the claim",
    permission="rewards.change_claim",
    perform=_cancel,
    form_class=WhyForm,
    icon="undo",
    is_dangerous=True,
    is_offered=lambda claim: claim.status in OPEN,
)


def times(multiplier: Decimal | None) -> str:
    """×1.5, without what is not needed."""
    return "–" if multiplier is None else f"×{multiplier.normalize():f}"


@admin.register(Claim)
class ClaimAdmin(TenantDataAdmin, ReadOnlyAdmin):
    """Newest first by id, which is ordered by time."""

    list_display = ("claimed_at", "shown_participant", "reward_name", "shown_status", "code_value", "points_deducted")
    list_filter = (("status", ChoicesDropdownFilter), ("claimed_at", DayFilter))
    list_filter_submit = True
    list_select_related = ("participant",)
    search_fields = ("participant__external_id",)  # get_search_results has the rule; this makes the box appear
    search_help_text = "The whole participant id"
    ordering = ("-id",)
    sortable_by = ()
    object_pages = (FULFIL, CANCEL)

    def get_fields(self, request: HttpRequest, obj: Claim | None = None) -> Any:
        """What only a points multiplier has, other claims do not show."""
        is_multiplier = obj is not None and obj.multiplier is not None
        return (*ABOUT, *(OF_MULTIPLIERS if is_multiplier else ()), *WHEN)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Claim]":
        return super().get_queryset(request).select_related("participant", "tenant")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Claim]", search_term: str
    ) -> tuple["QuerySet[Claim]", bool]:
        """One participant's claims, by the index on them."""
        if not search_term:
            return queryset, False
        tenant = picked_tenant(request)
        participant = find_participant(tenant, search_term) if tenant else None
        return (queryset.filter(participant=participant) if participant else queryset.none()), False

    @display("participant")
    def shown_participant(self, claim: Claim) -> SafeString:
        url = reverse("admin:participants_participant_change", args=[claim.participant_id])
        return format_html('<a href="{}" class="console-link">{}</a>', url, claim.participant)

    @display("multiplies points by")
    def shown_multiplier(self, claim: Claim) -> str:
        return times(claim.multiplier)

    @display("status", label=COLORS)
    def shown_status(self, claim: Claim) -> str:
        return claim.status
