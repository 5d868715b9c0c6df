"""Audits of stored answers and of domain events: each must name a ledger entry with the same numbers.

The reverse is not checked. Most entries have no idempotency key, and imports of history emit no events.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from gamify.points.models import LedgerEntry
from gamify.points.services.adjusting import ADJUST
from gamify.points.services.awarding import AWARD, AWARD_BATCH
from gamify.points.services.deducting import DEDUCT
from participants.auditing import (
    Audit,
    Drift,
    Mention,
    ProgressReporter,
    audit_of_events,
    check_mentions,
    has_erased_participants,
    stream_rows,
)
from participants.models import IdempotencyKey, Tenant

SINGLE = (AWARD, DEDUCT, ADJUST)
Keys = QuerySet[IdempotencyKey]


def _keys(tenant: Tenant) -> Keys:
    return IdempotencyKey.objects.filter(tenant_id=tenant.pk, operation__in=(*SINGLE, AWARD_BATCH))


def _find_in_answers(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    yield from check_mentions(
        tenant, LedgerEntry, _mentions_in_answers(_keys(tenant).filter(operation__in=SINGLE), report_progress)
    )
    batches = _mentions_in_batches(_keys(tenant).filter(operation=AWARD_BATCH), report_progress)
    yield from check_mentions(tenant, LedgerEntry, batches, may_be_gone=has_erased_participants(tenant))


def _mentions_in_answers(keys: Keys, report_progress: ProgressReporter) -> Iterator[Mention]:
    for subject, operation, key, answer in stream_rows(
        keys.values_list("subject", "operation", "key", "answer"), report_progress
    ):
        values = {"participant_id": subject, "delta": _delta(operation, answer)}
        yield Mention(f"answer under {operation} {key}", answer.get("transaction_id"), values)


def _delta(operation: str, answer: Mapping[str, Any]) -> Any:
    """The signed number of points in a stored answer. The amount of a deduction is stored as a positive number."""
    if operation == DEDUCT:
        return -answer["amount"]
    return answer["delta" if operation == ADJUST else "amount"]


def _mentions_in_batches(keys: Keys, report_progress: ProgressReporter) -> Iterator[Mention]:
    """The successful items of batches. Their answers name no participant (docs/decisions/0005)."""
    for key, answers in stream_rows(keys.values_list("key", "answer"), report_progress):
        for number, answer in enumerate(answers):
            if "error" not in answer:
                about = f"answer under {AWARD_BATCH} {key}, item {number}"
                yield Mention(about, answer.get("transaction_id"), {"delta": answer.get("amount")})


ANSWERS = Audit(lambda tenant: _keys(tenant).count(), _find_in_answers)
EVENTS = audit_of_events(
    LedgerEntry,
    id_field="transaction_id",
    columns={"delta": "delta", "balance_after": "new_balance"},
    type__startswith="points.",
)
