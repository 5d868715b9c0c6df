"""Reads of rewards, claims, codes and multipliers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from participants.catalog import CatalogPart
from participants.models import Participant, Tenant
from rewards.models import Claim, ClaimStatus, Reward, RewardCode, RewardTally, RewardType

BATCH_SIZE = 1_000


@dataclass(frozen=True)
class ClaimPage:
    """A page of claims, newest first, and the total of all pages."""

    claims: Sequence[Claim]
    total: int


@dataclass(frozen=True)
class RewardPage:
    """A page of rewards, in display order, and the total of all pages."""

    rewards: Sequence[Reward]
    total: int


def open_rewards(
    tenant: Tenant, *, now: datetime, page: int, page_size: int, reward_type: str | None = None
) -> RewardPage:
    """The rewards that are active and within their dates, sold out or not, in display order. `page` starts with 1."""
    has_started = Q(starts_at=None) | Q(starts_at__lte=now)
    has_not_ended = Q(expires_at=None) | Q(expires_at__gt=now)
    rewards = Reward.objects.of(tenant).active().filter(has_started, has_not_ended)
    if reward_type is not None:
        rewards = rewards.filter(reward_type=reward_type)
    start = (page - 1) * page_size
    found = list(rewards.in_order()[start : start + page_size])
    is_only_page = not start and len(found) < page_size  # then no query is needed to count
    return RewardPage(found, len(found) if is_only_page else rewards.count())


def claims_page(participant: Participant | None, *, page: int, page_size: int) -> ClaimPage:
    """A page of the participant's claims, newest first. `page` starts with 1."""
    if participant is None:
        return ClaimPage((), 0)
    claims, start = Claim.objects.of(participant), (page - 1) * page_size
    total = claims.count()
    found = claims.newest_first()[start : start + page_size] if start < total else ()
    return ClaimPage(list(found), total)


def rewards_ready_to_serve() -> "QuerySet[Reward]":
    """Rewards that have pending claims and may have stock, with their tenants."""
    pending = Claim.objects.filter(status=ClaimStatus.PENDING).order_by().values("reward_id").distinct()
    has_code = Q(has_codes=False) | Q(free_codes__gt=0) | Q(code_pattern__isnull=False)
    return Reward.objects.filter(has_code, pk__in=pending).select_related("tenant").order_by("pk")


def existing_codes(reward: Reward, codes: Sequence[str]) -> set[str]:
    """Return which of `codes` the reward already has, free or handed out."""
    values, known = sorted(set(codes)), RewardCode.objects.filter(tenant_id=reward.tenant_id, reward_id=reward.pk)
    return {
        value
        for start in range(0, len(values), BATCH_SIZE)
        for value in known.filter(value__in=values[start : start + BATCH_SIZE]).values_list("value", flat=True)
    }


def active_multipliers(participant: Participant, *, now: datetime) -> "QuerySet[RewardTally]":
    """The participant's multipliers that are active now, with their rewards, the longest first."""
    tallies = RewardTally.objects.of(participant)
    return tallies.filter(active_until__gt=now).select_related("reward").order_by("-active_until")


def _load_multiplier_rewards(tenant: Tenant) -> tuple[UUID, ...]:
    """The ids of all points multipliers of the tenant, also inactive ones: participants keep what they claimed."""
    rewards = Reward.objects.of(tenant).filter(reward_type=RewardType.POINTS_MULTIPLIER)
    return tuple(rewards.in_order().values_list("pk", flat=True))


multiplier_reward_ids = CatalogPart("rewards", _load_multiplier_rewards)
