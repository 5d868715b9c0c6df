"""The definitions of a tenant in memory, as they are or as a plan would make them."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from gamify_project.programme.planning import ADDED, Change, Plan
from participants.catalog import with_fixed_catalog
from participants.models import Tenant
from participants.work import reading
from rewards.models import Claim, ClaimStatus, Reward
from rewards.services import with_earlier_stock

IS_NOT_PLAYED = frozenset({"webhook", "leaderboard"})  # they give nothing


@dataclass(frozen=True)
class Side:
    """A tenant with a fixed catalog, and its rewards by id, with the stock that they had when the period began."""

    tenant: Tenant
    rewards: dict[UUID, Reward]

    def stock(self) -> Sequence[Reward]:
        """Return copies of the rewards, because a unit counts pieces in them."""
        return [copy(reward) for reward in self.rewards.values()]

    def take(self, stock: Sequence[Reward]) -> None:
        """Go on with these copies: what was handed out of them is gone."""
        self.rewards.update({reward.pk: reward for reward in stock})


def present_side(tenant: Tenant, *, since: datetime) -> Side:
    """Return the definitions as they are stored."""
    with reading(tenant):
        return _load(tenant, since)


def planned_side(plan: Plan, *, since: datetime) -> Side:
    """Return the definitions as `plan` would make them.

    The rows are written, read and rolled back. This locks the changed definitions for some milliseconds, and no participants. The
    services of the domains are not called: they would end terms of streaks and serve pending claims.
    """
    with transaction.atomic(), reading(plan.tenant):
        for change in plan.changes:
            if change.key.noun not in IS_NOT_PLAYED:
                _write(change)
        side = _load(plan.tenant, since)
        transaction.set_rollback(True)
    return side


def _write(change: Change) -> None:
    row = change.row
    if change.action == ADDED:
        row.created_at = row.updated_at = timezone.now()
        row.save(force_insert=True)
    elif change.fields:
        type(row)._default_manager.filter(pk=row.pk).update(**change.fields)


def _load(tenant: Tenant, since: datetime) -> Side:
    issued = Claim.objects.filter(tenant_id=tenant.pk, claimed_at__gte=since).order_by().values_list("reward_id")
    counts = dict(issued.filter(status__in=[ClaimStatus.CLAIMED, ClaimStatus.FULFILLED]).annotate(Count("pk")))
    rewards = [with_earlier_stock(reward, issued=counts.get(reward.pk, 0)) for reward in Reward.objects.of(tenant)]
    return Side(with_fixed_catalog(tenant), {reward.pk: reward for reward in rewards})
