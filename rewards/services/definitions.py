"""Creates and changes definitions of rewards."""

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
MAX_NAME_IN_CODE = 36  # characters


def create_reward(*, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Reward:
    """Create a reward. Without a `code` it gets one, because clients refer to rewards by id. Raises: CodeConflict."""
    code = data.get("code") or _code_from_name(data["name"])
    return create_definition(Reward, noun=NOUN, tenant=tenant, data={**data, "code": code}, now=now)


@restartable
def change_reward(
    *, tenant: Tenant, reward_id: str, changes: Callable[[Reward], Mapping[str, Any]], now: datetime
) -> Reward:
    """Change a reward, and serve pending claims if it now has stock. Raises: RewardNotFound, and what `changes` raises.

    `changes` is called with the locked row and returns the new values by field. It may be called again: the unit restarts if it must
    also lock participants with pending claims, because participants are locked before rewards.
    """
    known = uuid_of(reward_id)
    if known is None:
        raise RewardNotFound(reward_id)
    with unit_of_work(tenant, [], now=now) as work:
        reward = lock_reward(work, known)
        if write_changes(reward, changes=changes(reward), now=now):
            serve_new_stock(work)
            # Last, because it locks the tenant: a concurrent change of another reward, which serving may need, holds that
            # reward while it waits for the tenant.
            bump_catalog_version(tenant)
    return reward


def _code_from_name(name: str) -> str:
    """Return a unique code that starts with the name."""
    return f"{slugify(name)[:MAX_NAME_IN_CODE] or NOUN}-{new_id().hex[-12:]}"
