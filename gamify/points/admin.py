"""Points in the console: the ledger, to read; award and deduct, on the participant's page."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from gamify.points import services
from gamify.points.models import EntryType, LedgerEntry
from gamify.points.services import MAX_AWARD, MIN_AWARD, Change, PointsAwarded, PointsDeducted
from participants.admin.base import ReadOnlyAdmin, TenantDataAdmin
from participants.admin.display import display
from participants.admin.filters import DayFilter
from participants.admin.pages import Done, Link, ObjectPage, OnceForm
from participants.admin.panels import Moment, Panel, panels
from participants.admin.picker import picked_tenant
from participants.engine import MAX_BIGINT
from participants.models import Participant
from participants.selectors import find_participant

ICONS = {EntryType.AWARD: "add_circle", EntryType.DEDUCT: "remove_circle"}
CREDIT, DEBIT = "success", "danger"


class ChangeForm(OnceForm):
    amount = forms.IntegerField(
        min_value=MIN_AWARD, max_value=MAX_AWARD, widget=UnfoldAdminIntegerFieldWidget({"autofocus": True})
    )
    reason = forms.CharField(
        max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Stands in the ledger, and clients can read it."
    )


class DeductForm(ChangeForm):
    amount = forms.IntegerField(
        min_value=1, max_value=MAX_BIGINT, widget=UnfoldAdminIntegerFieldWidget({"autofocus": True})
    )


def _changed(
    service: Callable[..., PointsAwarded | PointsDeducted], done: str, participant: Participant, data: Mapping[str, Any]
) -> Done:
    change = Change(participant_id=participant.external_id, **data)
    result = service(tenant=participant.tenant, change=change, now=timezone.now())
    told = f"{done} {result.amount:,} points; the balance is {result.new_balance:,}."
    if result.is_replay:
        return Done(f"Sent twice, done once: {told}")
    return Done(told, f"{done} {result.amount} points, ledger entry {result.transaction_id}.")


def _award(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    return _changed(services.award, "Awarded", participant, data)


def _deduct(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    return _changed(services.deduct, "Deducted", participant, data)


AWARD = ObjectPage(
    name="award",
    title="Award points",
    explanation="Credits the balance now, as an award through the API would.",
    button="Award",
    permission="points.add_ledgerentry",
    perform=_award,
    form_class=ChangeForm,
    icon="add",
    variant="primary",
)
DEDUCT = ObjectPage(
    name="deduct",
    title="Deduct points",
    explanation="Takes from the balance now; it counts as spent. No more can be taken than is there.",
    button="Deduct",
    permission="points.add_ledgerentry",
    perform=_deduct,
    form_class=DeductForm,
    icon="remove",
)


def _ledger_of(participant: Participant) -> str:
    return f"{reverse('admin:points_ledgerentry_changelist')}?{urlencode({'q': participant.external_id})}"


def _links(participant: Participant) -> Iterator[Link]:
    yield Link("Ledger", _ledger_of(participant), "receipt_long")


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


panels.register("points", Panel(pages=(AWARD, DEDUCT), links=_links, moments=_moments))


@admin.register(LedgerEntry)
class LedgerEntryAdmin(TenantDataAdmin, ReadOnlyAdmin):
    """Newest first by id, which is ordered by time; nothing is counted."""

    list_display = ("created_at", "shown_participant", "shown_type", "shown_delta", "shown_balance", "reason")
    list_filter = (("type", ChoicesDropdownFilter), ("created_at", DayFilter))
    list_filter_submit = True
    list_select_related = ("participant",)
    search_fields = ("participant__external_id",)  # get_search_results has the rule; this makes the box appear
    search_help_text = "The whole participant id"
    ordering = ("-id",)
    sortable_by = ()
    fields = (
        "shown_participant",
        ("shown_type", "number"),
        ("shown_delta", "shown_balance"),
        ("base_amount", "multiplier"),
        "reason",
        "shown_metadata",
        ("created_at", "expires_at"),
        ("event_id", "reverses_id"),
        "id",
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[LedgerEntry]":
        return super().get_queryset(request).select_related("participant")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[LedgerEntry]", search_term: str
    ) -> tuple["QuerySet[LedgerEntry]", bool]:
        """One participant's entries, by the index on them; a part of an id would read the whole ledger."""
        if not search_term:
            return queryset, False
        tenant = picked_tenant(request)
        participant = find_participant(tenant, search_term) if tenant else None
        return (queryset.filter(participant=participant).order_by("-number") if participant else queryset.none()), False

    @display("participant")
    def shown_participant(self, entry: LedgerEntry) -> SafeString:
        url = reverse("admin:participants_participant_change", args=[entry.participant_id])
        return format_html('<a href="{}" class="console-link">{}</a>', url, entry.participant)

    @display("type", label={"award": CREDIT, "refund": CREDIT, "deduct": DEBIT, "claim": DEBIT})
    def shown_type(self, entry: LedgerEntry) -> str:
        return entry.type

    @display("points")
    def shown_delta(self, entry: LedgerEntry) -> str:
        return f"{entry.delta:+,}"

    @display("balance after")
    def shown_balance(self, entry: LedgerEntry) -> str:
        return f"{entry.balance_after:,}"

    @display("metadata")
    def shown_metadata(self, entry: LedgerEntry) -> SafeString | None:
        if not entry.metadata:
            return None
        rows = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", entry.metadata.items())
        return format_html('<table class="console-table">{}</table>', rows)
