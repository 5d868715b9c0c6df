"""Exports of the ledger and of credits that expire."""

from django.db.models import QuerySet
from rest_framework import serializers

from gamify.points.models import EntryType, ExpiringCredit, LedgerEntry
from participants.api.exporting import ExportKind, ParticipantPeriodFilters, Scope, export_kinds
from participants.api.exports import ACTOR, ACTOR_LABEL, PARTICIPANT_ID, REQUEST_ID

_ENTRY = {
    "id": "Id of the entry.",
    "participant_id": PARTICIPANT_ID,
    "number": "1, 2, 3 … for each participant.",
    "type": "What kind of entry it is.",
    "delta": "Change of the balance in points; negative if points were taken.",
    "balance_after": "The participant's balance after it.",
    "base_amount": "Points before a multiplier; empty if there was none.",
    "multiplier": "The multiplier; empty if there was none.",
    "expires_at": "When the credited points expire.",
    "event_id": "The event that led to it.",
    "reverses_id": "The entry that this one undoes.",
    "reason": "Text given with the request.",
    "metadata": "Object given with the request.",
    "created_at": "When it was written.",
    "actor": ACTOR,
    "actor_label": ACTOR_LABEL,
    "request_id": REQUEST_ID,
}
_CREDIT = {
    "participant_id": PARTICIPANT_ID,
    "entry_id": "The ledger entry that credited the points.",
    "unspent": "Points that are not spent yet.",
    "expires_at": "When these points expire.",
}


class LedgerFilters(ParticipantPeriodFilters):
    type = serializers.ChoiceField(choices=EntryType.choices, required=False, help_text="Only entries of this type.")


def _entries(scope: Scope) -> "QuerySet[LedgerEntry]":
    selected = scope.of_participant & scope.between("created_at") & scope.matching(type="type")
    return LedgerEntry.objects.filter(scope.of_tenant & scope.written & selected)


def _credits(scope: Scope) -> "QuerySet[ExpiringCredit]":
    selected = scope.of_participant & scope.between("expires_at")
    unspent = ExpiringCredit.objects.unspent().filter(expires_at__gt=scope.asked_at)
    return unspent.filter(scope.of_tenant & scope.written & selected)


def register() -> None:
    """Called by `AppConfig.ready`."""
    export_kinds.register(
        "ledger",
        ExportKind(
            title="Ledger",
            about="One row per ledger entry, participant by participant, in the order of their numbers. The sum of `delta` is the sum of all balances.",
            columns=_ENTRY,
            filters=LedgerFilters,
            rows=_entries,
            order=("participant_id", "number"),
            fields=(
                "id", "participant__external_id", "number", "type", "delta", "balance_after", "base_amount", "multiplier", "expires_at",
                "event_id", "reverses_id", "reason", "metadata", "created_at", "actor", "actor_label", "request_id",
            ),
            permission="points.view_ledgerentry",
        ),
    )  # fmt: skip
    export_kinds.register(
        "expiring_credits",
        ExportKind(
            title="Expiring credits",
            about="One row per credit whose points expire and are not all spent. `since` and `until` are about the expiry.",
            columns=_CREDIT,
            filters=ParticipantPeriodFilters,
            rows=_credits,
            order=("participant_id", "entry_id"),
            fields=("participant__external_id", "entry_id", "rest", "expires_at"),
            permission="points.view_ledgerentry",
        ),
    )
