"""Console screens of the ledger. It is read-only, except that staff can reverse an entry."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from gamify.points import services
from gamify.points.models import LedgerEntry
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import ReasonField
from participants.admin.filters import DayFilter
from participants.admin.history import HistoryAdmin
from participants.admin.pages import Done, ObjectPage, PageForm
from participants.admin.words import table_of
from participants.errors import DomainError
from participants.models import Capability

CREDIT, DEBIT = "success", "danger"
LABELS = {
    "award": CREDIT, "refund": CREDIT, "deduct": DEBIT, "claim": DEBIT, "expire": "warning", "reversal": "info",
    "adjust": "info",
}  # fmt: skip


class ReversalForm(PageForm):
    reason = ReasonField(help_text="Stored in the ledger. Clients can read it.")


def _reverse(entry: LedgerEntry, *, reason: str | None, is_dry_run: bool) -> services.ReversalResult:
    return services.reverse(
        tenant=entry.tenant, transaction_id=str(entry.pk), reason=reason, now=timezone.now(), is_dry_run=is_dry_run
    )


def _preview(entry: LedgerEntry) -> Iterator[str]:
    try:
        undone = _reverse(entry, reason=None, is_dry_run=True)
    except DomainError as refusal:
        yield f"This entry cannot be reversed now: {refusal.message}."
        return
    yield f"The balance of {undone.participant_id} changes by {undone.delta:+,} points to {undone.new_balance:,}."


def _undo(request: HttpRequest, entry: LedgerEntry, data: Mapping[str, Any]) -> Done:
    undone = _reverse(entry, reason=data["reason"], is_dry_run=False)
    message = f"Reversed: {undone.delta:+,} points; the balance is {undone.new_balance:,}."
    return Done(message, f"Reversed by entry {undone.transaction_id}: {undone.delta:+} points.")


REVERSE = ObjectPage(
    name="reverse",
    title="Reverse",
    explanation="Adds an entry that undoes this one. The history and the participant's tier stay as they are. "
    "An entry can be reversed once.",
    button="Reverse the entry",
    permission="points.add_ledgerentry",
    capability=Capability.OWN,
    perform=_undo,
    form_class=ReversalForm,
    icon="undo",
    is_dangerous=True,
    is_offered=services.is_reversible,
    preview=_preview,
    is_dialog=True,
)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(HistoryAdmin):
    when_empty = WhenEmpty(
        "No points were awarded yet. You can award some on the page of a participant.",
        "Choose a participant",
        "participants_participant_changelist",
    )
    list_display = ("created_at", "display_participant", "display_type", "display_delta", "display_balance", "reason")
    list_filter = (("type", ChoicesDropdownFilter), ("created_at", DayFilter))
    exports = {
        "ledger": {"q": "participant_id", "type__exact": "type", "created_at_from": "since", "created_at_to": "until"},
        "expiring_credits": {"q": "participant_id"},
    }
    order_of_one = ("-number",)
    object_pages = (REVERSE,)
    fields = (
        "display_participant",
        ("display_type", "number"),
        ("display_delta", "display_balance"),
        ("base_amount", "multiplier"),
        "reason",
        "display_metadata",
        ("created_at", "expires_at"),
        ("event_id", "reverses_id"),
        "id",
    )

    @display("type", label=LABELS)
    def display_type(self, entry: LedgerEntry) -> str:
        return entry.type

    @display("points")
    def display_delta(self, entry: LedgerEntry) -> str:
        return f"{entry.delta:+,}"

    @display("balance after")
    def display_balance(self, entry: LedgerEntry) -> str:
        return f"{entry.balance_after:,}"

    @display("metadata")
    def display_metadata(self, entry: LedgerEntry) -> SafeString | None:
        return table_of(entry.metadata)
