"""The codes of a reward in the console, read-only: which are free, and which claim has the others.

Staff see one code at a time, and each look is recorded in the audit trail.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from participants.admin.access import link, link_to
from participants.admin.authorization import Needs
from participants.admin.base import ReadOnlyAdmin, TenantDataAdmin
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.pages import Done, ObjectPage
from participants.admin.picker import picked_tenant
from participants.models import Capability
from rewards.models import Claim, Reward, RewardCode

COLORS = {"free": "success", "handed out": "info"}
REVEALED = "Revealed the code."


def _reveal(request: HttpRequest, code: RewardCode, data: Mapping[str, Any]) -> Done:
    return Done(f"The code is {code.value}", REVEALED)


REVEAL = ObjectPage(
    name="reveal",
    title="Show the code",
    explanation="Anybody who knows a code can use it. The audit trail records that you looked at it.",
    button="Show the code",
    permission="rewards.reveal_rewardcode",
    capability=Capability.OWN,
    perform=_reveal,
    icon="visibility",
)


class StatusFilter(admin.SimpleListFilter):
    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return (("free", "free"), ("taken", "handed out"))

    def queryset(self, request: HttpRequest, queryset: "QuerySet[RewardCode]") -> "QuerySet[RewardCode]":
        if self.value() not in {"free", "taken"}:
            return queryset
        return queryset.filter(claim_id__isnull=self.value() == "free")


@admin.register(RewardCode)
class RewardCodeAdmin(TenantDataAdmin, ReadOnlyAdmin):
    """Sorted like the unique index. A search looks up the whole code for each reward in this index."""

    needs = Needs(view=Capability.SEE_DEFINITIONS)
    when_empty = WhenEmpty(
        "There are no codes yet. You can add some on the page of a reward.",
        "Choose a reward",
        "rewards_reward_changelist",
    )
    list_display = ("display_value", "reward", "display_status", "display_claim", "created_at")
    list_filter = (StatusFilter,)
    exports = {"codes": {"status": "is_free", "reward_id": "reward_id"}}
    list_select_related = ("reward",)
    search_fields = ("value",)  # makes the search box appear; get_search_results does the search
    search_help_text = "The whole code"
    ordering = ("reward_id", "value")
    sortable_by = ()
    object_pages = (REVEAL,)
    fields = (("display_value", "display_status"), ("display_reward", "display_claim"), "created_at", "id")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[RewardCode]", search_term: str
    ) -> tuple["QuerySet[RewardCode]", bool]:
        tenant = picked_tenant(request)
        if not search_term or tenant is None:
            return queryset, False
        return queryset.filter(reward__in=Reward.objects.of(tenant), value=search_term.strip()), False

    @display("code")
    def display_value(self, code: RewardCode) -> str:
        return str(code)

    @display("reward")
    def display_reward(self, code: Any) -> SafeString | str:
        return link_to(code.reward, code.reader)

    @display("status", label=COLORS)
    def display_status(self, code: RewardCode) -> str:
        return "free" if code.claim_id is None else "handed out"

    @display("claim")
    def display_claim(self, code: Any) -> SafeString | str:
        if code.claim_id is None:
            return "–"
        return link("View claim", Claim, code.claim_id, code.reader)
