"""Points on a participant's page: award, deduct and adjust."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from gamify.facts.admin.events import event_links
from gamify.points import services
from gamify.points.engine import MAX_AWARD, MIN_AWARD
from gamify.points.models import LedgerEntry
from gamify.points.selectors import unspent_credits
from gamify.points.services import AwardResult, Change, DeductionResult
from participants.activity import Activity
from participants.admin.access import link
from participants.admin.authorization import may
from participants.admin.fields import MomentField, ReasonField
from participants.admin.pages import Done, Link, ObjectPage, OnceForm
from participants.admin.panels import Box, Line, Panel, Story, panels
from participants.engine import MAX_BIGINT
from participants.models import Capability, Participant, Tenant

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
    is_dialog=True,
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
    is_dialog=True,
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
    is_dialog=True,
)


def _links(participant: Participant) -> Iterator[Link]:
    query = urlencode({"q": participant.external_id})
    yield Link("Ledger", f"{reverse('admin:points_ledgerentry_changelist')}?{query}", "receipt_long", in_menu=True)


def _lines(participant: Participant, items: Sequence[Activity], reader: Any) -> Mapping[UUID, Line]:
    reversals = _reversals(participant, [item.id for item in items], reader)
    causes = event_links(participant, (item.data.get("event_id") for item in items), reader)
    return {item.id: _line(item, reversals, causes, reader) for item in items}


def _line(item: Activity, reversals: Mapping[UUID, str], causes: Mapping[str, str], reader: Any) -> Line:
    return Line(
        title=link(WORDS[item.type], LedgerEntry, item.id, reader),
        amount=f"{item.data['delta']:+,} points",
        detail=f"The balance was {item.data['new_balance']:,} then.",
        cause=causes.get(item.data.get("event_id", ""), ""),
        reversal=reversals.get(item.id, ""),
    )


def _reversals(participant: Participant, entry_ids: Sequence[UUID], reader: Any) -> Mapping[UUID, str]:
    """Return what undid each of these ledger entries, if something did."""
    undoing = LedgerEntry.objects.of(participant).filter(reverses_id__in=entry_ids)
    found = undoing.values_list("reverses_id", "pk")
    return {entry_id: link("Reversed", LedgerEntry, pk, reader) for entry_id, pk in found if entry_id}


def _boxes(participant: Participant, reader: Any) -> Iterator[Box]:
    credits_left = unspent_credits(participant, now=timezone.now(), limit=MAX_CREDITS)
    if credits_left:
        rows = [[credit.expires_at, f"{credit.rest:,}"] for credit in credits_left]
        yield Box("Points that expire", ("When", "Points"), rows)


WORDS = {
    "points.awarded": "Points awarded",
    "points.deducted": "Points spent",
    "points.refunded": "Points refunded",
    "points.expired": "Points expired",
    "points.adjusted": "Points adjusted",
    "points.reversed": "Ledger entry reversed",
}
VIEW_PERMISSIONS = ("points.view_ledgerentry", "points.change_ledgerentry")
PAGES = (AWARD, DEDUCT, ADJUST)
STORY = Story("points", "Points", "toll", WORDS, _lines)
panels.register(
    "points",
    Panel(
        capability=Capability.SEE_PARTICIPANTS,
        view_permissions=VIEW_PERMISSIONS,
        pages=PAGES,
        links=_links,
        boxes=_boxes,
        story=STORY,
    ),
)
