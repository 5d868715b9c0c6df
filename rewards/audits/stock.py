"""Audits stock and codes: the counters match the claims, and no code has two claims.

The claims of an erased participant are deleted, but their pieces and codes stay used. So a tenant that erased participants may have
fewer claims than used pieces, and codes whose claim does not exist.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from participants.auditing import Audit, Drift, ProgressReporter, count_rows, has_erased_participants, stream_rows
from participants.models import Tenant
from rewards.audits.claims import HANDED_OUT
from rewards.models import Claim, Reward, RewardCode

_size = count_rows(Reward, Claim, RewardCode)


def _find(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    """Compare sets, because there are few rewards while their claims and codes belong to many participants."""
    is_short = has_erased_participants(tenant)
    yield from _check_stock(tenant, is_short=is_short)
    yield from _check_codes(tenant, is_short=is_short)
    yield from _check_claims(tenant)
    report_progress(_size(tenant))


def _check_stock(tenant: Tenant, *, is_short: bool) -> Iterator[Drift]:
    handed_out = _count_by_reward(Claim.objects.filter(tenant_id=tenant.pk, status__in=HANDED_OUT))
    free = _count_by_reward(RewardCode.objects.filter(tenant_id=tenant.pk, claim_id=None))
    for reward_id, code, claimed, free_codes in Reward.objects.of(tenant).values_list(
        "pk", "code", "claimed", "free_codes"
    ):
        counted = handed_out.get(reward_id, 0)
        if not (claimed >= counted if is_short else claimed == counted):
            yield Drift(f"reward {code}", "claimed", counted, claimed)
        if free_codes != free.get(reward_id, 0):
            yield Drift(f"reward {code}", "free_codes", free.get(reward_id, 0), free_codes)


def _count_by_reward(rows: Any) -> Mapping[Any, int]:
    return dict(rows.order_by().values_list("reward_id").annotate(Count("pk")))


def _check_codes(tenant: Tenant, *, is_short: bool) -> Iterator[Drift]:
    """A used code must belong to the claim that it names, and the claim must show it, unless its participant was anonymised.

    A drift names codes by id: anybody who knows a code can use it.
    """
    named = Claim.objects.filter(tenant_id=tenant.pk, pk=OuterRef("claim_id"))
    is_its = Q(code_value=OuterRef("value")) | Q(code_value=None, participant__anonymized_at__isnull=False)
    used = RewardCode.objects.filter(tenant_id=tenant.pk, claim_id__isnull=False)
    wrong = used.filter(~Exists(named.filter(is_its, reward_id=OuterRef("reward_id"))))
    if is_short:
        wrong = wrong.filter(Exists(named))
    for code_id, claim_id in stream_rows(wrong.order_by("pk").values_list("pk", "claim_id")):
        yield Drift(f"code {code_id}", "claim", "the claim with this code", claim_id)
    twice = used.order_by().values("claim_id").annotate(codes=Count("pk")).filter(codes__gt=1)
    for claim_id, codes in stream_rows(twice.values_list("claim_id", "codes")):
        yield Drift(f"claim {claim_id}", "codes", "at most 1", codes)


def _check_claims(tenant: Tenant) -> Iterator[Drift]:
    its = RewardCode.objects.filter(
        tenant_id=tenant.pk, reward_id=OuterRef("reward_id"), value=OuterRef("code_value"), claim_id=OuterRef("pk")
    )
    wrong = Claim.objects.filter(tenant_id=tenant.pk, code_value__isnull=False).filter(~Exists(its))
    for claim_id in stream_rows(wrong.order_by("pk").values_list("pk", flat=True)):
        yield Drift(f"claim {claim_id}", "code", "a code that names this claim", None)


STOCK = Audit(_size, _find)
