"""Claims: to read, to fulfil and to cancel."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from participants.admin.display import display
from participants.admin.filters import DayFilter
from participants.admin.history import HistoryAdmin, WhyForm
from participants.admin.pages import Done, ObjectPage
from rewards import services
from rewards.admin.stock import REVEAL as REVEAL_CODE
from rewards.admin.stock import REVEALED
from rewards.engine import mask
from rewards.models import Claim, ClaimStatus

COLORS = {"claimed": "info", "fulfilled": "success", "pending": "warning", "cancelled": "danger"}
OPEN = (ClaimStatus.PENDING, ClaimStatus.CLAIMED, ClaimStatus.FULFILLED)

ABOUT = (
    "shown_participant",
    ("reward_name", "reward_type"),
    ("display_status", "display_code"),
    ("points_deducted", "reason"),
)
OF_MULTIPLIERS = (("display_multiplier", "active_until"),)
WHEN = (("claimed_at", "closed_at"), "id")


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


def _reveal(request: HttpRequest, claim: Claim, data: Mapping[str, Any]) -> Done:
    return Done(f"The code is {claim.code_value}", REVEALED)


REVEAL = replace(REVEAL_CODE, perform=_reveal, is_offered=lambda claim: claim.code_value is not None)


def masked_code(claim: Claim) -> str | None:
    """The claim's code as lists and pages show it. Only REVEAL shows the whole code, because whoever knows it can use it."""
    return None if claim.code_value is None else mask(claim.code_value)


def multiplier_text(multiplier: Decimal | None) -> str:
    """×1.5, without what is not needed."""
    return "–" if multiplier is None else f"×{multiplier.normalize():f}"


@admin.register(Claim)
class ClaimAdmin(HistoryAdmin):
    list_display = (
        "claimed_at",
        "shown_participant",
        "reward_name",
        "display_status",
        "display_code",
        "points_deducted",
    )
    list_filter = (("status", ChoicesDropdownFilter), ("claimed_at", DayFilter))
    object_pages = (FULFIL, CANCEL, REVEAL)

    def get_fields(self, request: HttpRequest, obj: Claim | None = None) -> Any:
        """What only a points multiplier has, other claims do not show."""
        is_multiplier = obj is not None and obj.multiplier is not None
        return (*ABOUT, *(OF_MULTIPLIERS if is_multiplier else ()), *WHEN)

    @display("code")
    def display_code(self, claim: Claim) -> str | None:
        return masked_code(claim)

    @display("multiplies points by")
    def display_multiplier(self, claim: Claim) -> str:
        return multiplier_text(claim.multiplier)

    @display("status", label=COLORS)
    def display_status(self, claim: Claim) -> str:
        return claim.status
