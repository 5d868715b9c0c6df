"""Registrations of the points domain with the layers below."""

from typing import Any

from django.db.models import Q, QuerySet

from gamify.facts.services import undoers
from gamify.points.models import EntryType, ExpiringCredit, LedgerEntry
from gamify.points.selectors import boosts_in
from gamify.points.services import lots, metrics, multiplying
from gamify.points.services.reversing import take_back_entry, undo_event
from participants import events
from participants.activity import ActivitySource, activity_sources
from participants.causes import CauseTable, cause_tables
from participants.events import INSTANT, INTEGER, NUMBER, OBJECT, TEXT, UUID, EventField
from participants.models import Tenant
from participants.services.append_only import AppendOnly, anonymize, erase, register_append_only
from participants.services.participants import Eraser, delete_rows, erasers, keep_rows
from participants.services.personal_data import PersonalTable
from participants.work import Settlement, settlements

EVENT_TYPES = {
    EntryType.AWARD: "points.awarded",
    EntryType.DEDUCT: "points.deducted",
    EntryType.CLAIM: "points.deducted",
    EntryType.REFUND: "points.refunded",
    EntryType.EXPIRE: "points.expired",
    EntryType.ADJUST: "points.adjusted",
    EntryType.REVERSAL: "points.reversed",
}
"""The domain event that each type of ledger entry emits."""


def register() -> None:
    """Called by `AppConfig.ready`."""
    _register_erasers()
    _register_events()
    activity_sources.register("points", ActivitySource(_entries_of, frozenset(EVENT_TYPES.values()), _describe))
    undoers.register("points", undo_event)
    no_payments = ~Q(type=EntryType.CLAIM)  # they are taken back with their claims
    cause_tables.register("points", CauseTable(LedgerEntry, "created_at", take_back_entry, only=no_payments))
    settlements.register("expired points", Settlement(lots.is_due, lots.settle, lots.as_if_settled))
    boosts_in.register()
    multiplying.register()
    metrics.register()


def _register_erasers() -> None:
    ledger = register_append_only(
        AppendOnly(LedgerEntry, anonymized={"reason": None, "metadata": {}, "request_id": None})
    )
    entries = {
        "ledger_entries": PersonalTable(LedgerEntry, "Every change of the balance, oldest first.", order=("number",))
    }
    erasers.register("points", Eraser(entries, delete=erase(ledger), anonymize=anonymize(ledger)))
    credits_left = {
        "expiring_credits": PersonalTable(
            ExpiringCredit, "What is left of points that expire, by ledger entry.", order=("entry_id",)
        )
    }
    erasers.register("expiring credits", Eraser(credits_left, delete=delete_rows(ExpiringCredit), anonymize=keep_rows))


def _register_events() -> None:
    moved = {
        "transaction_id": EventField(UUID, "Id of the ledger entry."),
        "amount": EventField(INTEGER, "Points moved, positive."),
        "delta": EventField(INTEGER, "Points moved, negative where they were taken."),
        "new_balance": EventField(INTEGER, "Balance after it."),
        "reason": EventField(TEXT, "Text given with the request, or null.", nullable=True),
        "metadata": EventField(OBJECT, "Object given with the request."),
    }
    credited = {
        "base_amount": EventField(INTEGER, "Requested amount; only if it was multiplied.", optional=True),
        "multiplier": EventField(NUMBER, "What it was multiplied by; only if it was.", optional=True),
        "expires_at": EventField(INSTANT, "When the unspent points expire; only if they do.", optional=True),
    }
    undone = {
        "reverses": EventField(TEXT, "Id of the ledger entry that was undone."),
        "reversed_type": EventField(TEXT, "Its type."),
        "reversed_at": EventField(INSTANT, "When it was made."),
    }
    events.register("points.awarded", "Points were credited.", moved | credited)
    events.register("points.deducted", "Points were spent.", moved)
    events.register("points.refunded", "Points that were spent were refunded.", moved)
    events.register(
        "points.expired", "Points expired unspent.", moved | {"expired_at": EventField(INSTANT, "When they expired.")}
    )
    events.register("points.adjusted", "A balance was adjusted by staff.", moved)
    events.register("points.reversed", "A ledger entry was undone.", moved | undone, is_reversal=True)


def _entries_of(tenant: Tenant) -> "QuerySet[LedgerEntry]":
    return LedgerEntry.objects.filter(tenant_id=tenant.pk)


def _describe(entry: LedgerEntry) -> tuple[str, dict[str, Any]]:
    """Return a ledger entry as an item of the activity."""
    about = {"transaction_id": str(entry.pk), "delta": entry.delta, "new_balance": entry.balance_after}
    event = {} if entry.event_id is None else {"event_id": str(entry.event_id)}
    return EVENT_TYPES[EntryType(entry.type)], {**about, "reason": entry.reason, **event}
