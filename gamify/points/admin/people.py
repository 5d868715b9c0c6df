"""Points on a participant's page: award, deduct and adjust."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from gamify.points import services
from gamify.points.engine import MAX_AWARD, MIN_AWARD
from gamify.points.models import EntryType, LedgerEntry
from gamify.points.selectors import unspent_credits
from gamify.points.services import AwardResult, Change, DeductionResult
from participants.admin.authorization import may
from participants.admin.fields import MomentField, ReasonField
from participants.admin.pages import Done, Link, ObjectPage, OnceForm
from participants.admin.panels import Box, Moment, Panel, panels
from participants.engine import MAX_BIGINT
from participants.models import Capability, Participant, Tenant

ICONS = {EntryType.AWARD: "add_circle", EntryType.DEDUCT: "remove_circle"}
MAX_CREDITS = 20
PERMISSION = "points.add_ledgerentry"


class ChangeForm(OnceForm):
    amount = forms.IntegerField(
        min_value=MIN_AWARD, max_value=MAX_AWARD, widget=UnfoldAdminIntegerFieldWidget({"autofocus": True})
    )
    reason = forms.CharField(
        max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Stored in the ledger. Clients can read it."
    )


class AwardForm(ChangeForm):
    expires_at = MomentField(
        label="Expires", help_text="In UTC. Leave empty for never. Points that expire are spent first."
    )


class AdjustForm(OnceForm):
    delta = forms.IntegerField(
        label="Points",
        min_value=-MAX_BIGINT,
        max_value=MAX_BIGINT,
        widget=UnfoldAdminIntegerFieldWidget({"autofocus": True}),
        help_text="A negative number takes points away.",
    )
    reason = ReasonField(help_text="Stored in the ledger. Clients can read it.")

    def clean_delta(self) -> int:
        delta: int = self.cleaned_data["delta"]
        if not delta:
            raise forms.ValidationError("Must not be 0.")
        return delta


class DeductForm(ChangeForm):
    amount = forms.IntegerField(
        min_value=1, max_value=MAX_BIGINT, widget=UnfoldAdminIntegerFieldWidget({"autofocus": True})
    )


def _change(
    service: Callable[..., AwardResult | DeductionResult], done: str, participant: Participant, data: Mapping[str, Any]
) -> Done:
    change = Change(participant_id=participant.external_id, **data)
    result = service(tenant=participant.tenant, change=change, now=timezone.now())
    message = f"{done} {result.amount:,} points; the balance is {result.new_balance:,}."
    if result.is_replay:
        return Done(f"Sent twice, done once: {message}")
    return Done(message, f"{done} {result.amount} points, ledger entry {result.transaction_id}.")


def _award(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    return _change(services.award, "Awarded", participant, data)


def _deduct(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    return _change(services.deduct, "Deducted", participant, data)


def _adjust(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    tenant, now = participant.tenant, timezone.now()
    limit = _limit_of(request.user, tenant)
    adjusted = services.adjust(tenant=tenant, participant_id=participant.external_id, **data, limit=limit, now=now)
    message = f"Adjusted by {adjusted.delta:+,} points; the balance is {adjusted.new_balance:,}."
    if limit is not None:
        message = f"{message} You may adjust {limit.left(tenant, now=now):,} more points today."
    if adjusted.is_replay:
        return Done(f"Sent twice, done once: {message}")
    return Done(message, f"Adjusted by {adjusted.delta:+} points, ledger entry {adjusted.transaction_id}.")


def _limit_of(user: Any, tenant: Tenant) -> services.DailyLimit | None:
    """Return the limit of users who may adjust only because their role is to care for participants."""
    is_free = may(user, PERMISSION, Capability.OWN)
    return None if is_free else services.DailyLimit(user.pk, tenant.support_points_per_day)


AWARD = ObjectPage(
    name="award",
    title="Award points",
    explanation="Credits the balance now, like an award through the API. Multipliers apply, and tiers are evaluated.",
    button="Award",
    permission=PERMISSION,
    capability=Capability.OWN,
    perform=_award,
    form_class=AwardForm,
    icon="add",
    variant="primary",
)
DEDUCT = ObjectPage(
    name="deduct",
    title="Deduct points",
    explanation="Takes points from the balance now. They count as spent. The balance cannot go below zero.",
    button="Deduct",
    permission=PERMISSION,
    capability=Capability.OWN,
    perform=_deduct,
    form_class=DeductForm,
    icon="remove",
)

ADJUST = ObjectPage(
    name="adjust",
    title="Adjust",
    explanation="Corrects the balance and the points ever earned. Multipliers do not apply, and the tier does not change. "
    "With the role support you may adjust a limited number of points per day.",
    button="Adjust",
    permission=PERMISSION,
    capability=Capability.CARE,
    perform=_adjust,
    form_class=AdjustForm,
    icon="tune",
)


def _links(participant: Participant) -> Iterator[Link]:
    query = urlencode({"q": participant.external_id})
    yield Link("Ledger", f"{reverse('admin:points_ledgerentry_changelist')}?{query}", "receipt_long")


def _moments(participant: Participant, limit: int) -> Iterable[Moment]:
    return [_moment(entry) for entry in LedgerEntry.objects.of(participant).newest_first()[:limit]]


def _moment(entry: LedgerEntry) -> Moment:
    url = reverse("admin:points_ledgerentry_change", args=[entry.pk])
    detail = f"{entry.get_type_display()}, balance {entry.balance_after:,}" + (
        f" – {entry.reason}" if entry.reason else ""
    )
    return Moment(
        entry.created_at, f"{entry.delta:+,} points", detail, ICONS.get(EntryType(entry.type), "swap_vert"), url
    )


def _boxes(participant: Participant) -> Iterator[Box]:
    credits_left = unspent_credits(participant, now=timezone.now(), limit=MAX_CREDITS)
    if credits_left:
        rows = [[credit.expires_at, f"{credit.rest:,}"] for credit in credits_left]
        yield Box("Points that expire", ("When", "Points"), rows, empty="")


VIEW_PERMISSIONS = ("points.view_ledgerentry", "points.change_ledgerentry")
PAGES = (AWARD, DEDUCT, ADJUST)
panels.register(
    "points",
    Panel(
        capability=Capability.SEE_PARTICIPANTS,
        view_permissions=VIEW_PERMISSIONS,
        pages=PAGES,
        links=_links,
        moments=_moments,
        boxes=_boxes,
    ),
)
