"""Claims in the console: read, fulfil, cancel."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.filters import DayFilter
from participants.admin.history import HistoryAdmin, WhyForm
from participants.admin.pages import Done, ObjectPage
from participants.engine import decimal_text
from participants.models import Capability
from rewards import services
from rewards.admin.stock import REVEAL as REVEAL_CODE
from rewards.admin.stock import REVEALED
from rewards.engine.code_lines import mask
from rewards.models import Claim, ClaimStatus

COLORS = {"claimed": "info", "fulfilled": "success", "pending": "warning", "cancelled": "danger"}
OPEN = (ClaimStatus.PENDING, ClaimStatus.CLAIMED, ClaimStatus.FULFILLED)

ABOUT = (
    "display_participant",
    ("reward_name", "reward_type"),
    ("display_status", "display_code"),
    ("points_deducted", "reason"),
)
MULTIPLIER_FIELDS = (("display_multiplier", "active_until"),)
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
    explanation="Confirms that the reward was sent, activated or used.",
    button="Fulfil",
    permission="rewards.change_claim",
    capability=Capability.CARE,
    perform=_fulfil,
    form_class=WhyForm,
    icon="check_circle",
    is_offered=lambda claim: claim.status == ClaimStatus.CLAIMED,
    is_dialog=True,
)
CANCEL = ObjectPage(
    name="cancel",
    title="Cancel",
    explanation="Returns its points and its piece of the inventory. A code that was handed out may have been used: it is not returned.",
    button="Cancel the claim",
    permission="rewards.change_claim",
    capability=Capability.CARE,
    perform=_cancel,
    form_class=WhyForm,
    icon="undo",
    is_dangerous=True,
    is_offered=lambda claim: claim.status in OPEN,
    is_dialog=True,
)


def _reveal(request: HttpRequest, claim: Claim, data: Mapping[str, Any]) -> Done:
    return Done(f"The code is {claim.code_value}", REVEALED)


REVEAL = replace(
    REVEAL_CODE,
    capability=Capability.CARE,  # support reads the code to the participant
    perform=_reveal,
    is_offered=lambda claim: claim.code_value is not None,
)


def masked_code(claim: Claim) -> str | None:
    """Return the claim's code, masked. Only REVEAL shows the whole code: anybody who knows it can use it."""
    return None if claim.code_value is None else mask(claim.code_value)


def multiplier_text(multiplier: Decimal | None) -> str:
    """Format a multiplier without trailing zeros: ×1.5."""
    return "–" if multiplier is None else f"×{decimal_text(multiplier)}"


@admin.register(Claim)
class ClaimAdmin(HistoryAdmin):
    when_empty = WhenEmpty(
        "No reward was claimed yet. Participants can claim the active rewards of the catalogue.",
        "See the rewards",
        "rewards_reward_changelist",
    )
    list_display = (
        "claimed_at",
        "display_participant",
        "reward_name",
        "display_status",
        "display_code",
        "points_deducted",
    )
    list_filter = (("status", ChoicesDropdownFilter), ("claimed_at", DayFilter), ("closed_at", DayFilter))
    exports = {
        "claims": {
            "q": "participant_id",
            "status__exact": "status",
            "claimed_at_from": "since",
            "claimed_at_to": "until",
        }
    }
    object_pages = (FULFIL, CANCEL, REVEAL)

    def get_fields(self, request: HttpRequest, obj: Claim | None = None) -> Any:
        """Show the multiplier's fields only for claims of points multipliers."""
        is_multiplier = obj is not None and obj.multiplier is not None
        return (*ABOUT, *(MULTIPLIER_FIELDS if is_multiplier else ()), *WHEN)

    @display("code")
    def display_code(self, claim: Claim) -> str | None:
        return masked_code(claim)

    @display("multiplies points by")
    def display_multiplier(self, claim: Claim) -> str:
        return multiplier_text(claim.multiplier)

    @display("status", label=COLORS)
    def display_status(self, claim: Claim) -> str:
        return claim.status
