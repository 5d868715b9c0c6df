"""Rewards are defined; a code of their own is made where none is given, since clients know them by id."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils.text import slugify

from participants.catalog import bump_catalog_version
from participants.engine import uuid_of
from participants.ids import new_id
from participants.models import Tenant
from participants.services.definitions import create_definition, write_changes
from participants.work import restartable, unit_of_work
from rewards.models import Reward
from rewards.services.issuing import RewardNotFound, lock_reward
from rewards.services.serving import serve_new_stock

NOUN = "reward"
MAX_NAMED = 36  # characters of the name in a code that is made


def create_reward(*, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Reward:
    """Raises CodeConflict where a code was given that is taken."""
    code = data.get("code") or _made_code(data["name"])
    return create_definition(Reward, noun=NOUN, tenant=tenant, data={**data, "code": code}, now=now)


@restartable
def change_reward(
    *, tenant: Tenant, reward_id: str, changes: Callable[[Reward], Mapping[str, Any]], now: datetime
) -> Reward:
    """Change a reward and serve those who wait for it, if there is stock now. Raises RewardNotFound and what `changes` raises.

    `changes` is called with the locked row and returns the new values by field. It may be called again: a unit that must lock
    waiting participants starts anew, so that they are locked before the reward, as in every other unit.
    """
    known = uuid_of(reward_id)
    if known is None:
        raise RewardNotFound(reward_id)
    with unit_of_work(tenant, [], now=now) as work:
        reward = lock_reward(work, known)
        if write_changes(reward, changes=changes(reward), now=now):
            serve_new_stock(work)
            # Last: who changes another reward locks that one before the tenant, and serving may need it.
            bump_catalog_version(tenant)
    return reward


def _made_code(name: str) -> str:
    """Of the name, and unique."""
    return f"{slugify(name)[:MAX_NAMED] or NOUN}-{new_id().hex[-12:]}"
