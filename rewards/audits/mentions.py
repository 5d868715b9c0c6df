"""Audits stored answers and domain events that name a claim: it must exist, with the same participant and points."""

from collections.abc import Iterator

from django.db.models import QuerySet

from participants.auditing import Audit, Drift, Mention, ProgressReporter, audit_of_events, check_mentions, stream_rows
from participants.models import IdempotencyKey, Tenant
from rewards.models import Claim
from rewards.services.claiming import CLAIM_OPERATION

EVENT_TYPES = ("reward.claimed", "reward.pending", "reward.fulfilled", "reward.cancelled")


def _keys(tenant: Tenant) -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(tenant_id=tenant.pk, operation=CLAIM_OPERATION)


def _find_answers(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    yield from check_mentions(tenant, Claim, _answer_mentions(_keys(tenant), report_progress))


def _answer_mentions(keys: QuerySet[IdempotencyKey], report_progress: ProgressReporter) -> Iterator[Mention]:
    for subject, key, answer in stream_rows(keys.values_list("subject", "key", "answer"), report_progress):
        values = {"participant_id": subject, "points_deducted": answer.get("points_deducted")}
        yield Mention(f"answer under {CLAIM_OPERATION} {key}", answer.get("claim_id"), values)


ANSWERS = Audit(lambda tenant: _keys(tenant).count(), _find_answers)
EVENTS = audit_of_events(
    Claim, id_field="claim_id", columns={"points_deducted": "points_deducted"}, type__in=EVENT_TYPES
)
