"""What was answered to claims under idempotency keys, and what was told to the outside of them: each names a claim."""

from collections.abc import Iterator

from django.db.models import QuerySet

from participants.auditing import Audit, Drift, Mention, Seen, mentioned, streamed
from participants.models import DomainEvent, IdempotencyKey, Tenant
from rewards.models import Claim
from rewards.services.claiming import CLAIM

TOLD_OF = ("reward.claimed", "reward.pending", "reward.fulfilled", "reward.cancelled")


def _keys(tenant: Tenant) -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(tenant_id=tenant.pk, operation=CLAIM)


def _find_answers(tenant: Tenant, seen: Seen) -> Iterator[Drift]:
    yield from mentioned(tenant, Claim, _answered(_keys(tenant), seen))


def _answered(keys: QuerySet[IdempotencyKey], seen: Seen) -> Iterator[Mention]:
    for subject, key, answer in streamed(keys.values_list("subject", "key", "answer"), seen):
        says = {"participant_id": subject, "points_deducted": answer.get("points_deducted")}
        yield Mention(f"answer under {CLAIM} {key}", answer.get("claim_id"), says)


def _events(tenant: Tenant) -> QuerySet[DomainEvent]:
    return DomainEvent.objects.filter(tenant_id=tenant.pk, type__in=TOLD_OF)


def _find_told(tenant: Tenant, seen: Seen) -> Iterator[Drift]:
    yield from mentioned(tenant, Claim, _told(_events(tenant), seen))


def _told(events: QuerySet[DomainEvent], seen: Seen) -> Iterator[Mention]:
    for event_id, kind, participant_id, data in streamed(
        events.values_list("id", "type", "participant_id", "data"), seen
    ):
        says = {"participant_id": participant_id, "points_deducted": data.get("points_deducted")}
        yield Mention(f"event {kind} {event_id}", data.get("claim_id"), says)


ANSWERS = Audit(lambda tenant: _keys(tenant).count(), _find_answers)
TOLD = Audit(lambda tenant: _events(tenant).count(), _find_told)
