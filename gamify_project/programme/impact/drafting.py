"""The definitions of a tenant in memory, as they are or as a plan would make them."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from gamify_project.programme.planning import ADDED, Change, Plan
from participants.catalog import with_fixed_catalog
from participants.models import Tenant
from participants.work import reading
from rewards.models import Reward

IS_NOT_PLAYED = frozenset({"webhook", "leaderboard"})  # they give nothing


@dataclass(frozen=True)
class Side:
    """A tenant with a fixed catalog, and its rewards by id, which units would otherwise read from the database."""

    tenant: Tenant
    rewards: Mapping[UUID, Reward]

    def fresh_rewards(self) -> Sequence[Reward]:
        """Return copies, because a unit counts pieces in them."""
        return [copy(reward) for reward in self.rewards.values()]


def present_side(tenant: Tenant) -> Side:
    """Return the definitions as they are stored."""
    with reading(tenant):
        return _load(tenant)


def planned_side(plan: Plan, *, at: Side) -> Side:
    """Return the definitions as `plan` would make them. `at` is the present side.

    The rows are written, read and rolled back. This locks the changed definitions for some milliseconds, and no participants. The
    services of the domains are not called: they would end terms of streaks and serve pending claims.
    """
    changes = [change for change in plan.changes if change.key.noun not in IS_NOT_PLAYED]
    if not changes:
        return at
    with transaction.atomic(), reading(plan.tenant):
        for change in changes:
            _write(change)
        side = _load(plan.tenant)
        transaction.set_rollback(True)
    return side


def _write(change: Change) -> None:
    row = change.row
    if change.action == ADDED:
        row.created_at = row.updated_at = timezone.now()
        row.save(force_insert=True)
    elif change.fields:
        type(row)._default_manager.filter(pk=row.pk).update(**change.fields)


def _load(tenant: Tenant) -> Side:
    rewards = Reward.objects.of(tenant)
    return Side(with_fixed_catalog(tenant), {reward.pk: reward for reward in rewards})
