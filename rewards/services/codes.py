"""Selects the code of a claim: one in stock, or one that is made on demand.

The reward is locked, so no other transaction takes or makes one of its codes. The codes that this unit hands out are not in the
database yet; a list on the reward row has them.
"""

from collections.abc import Hashable
from uuid import UUID

from django.db.models import QuerySet

from participants.database import Query, Read, Slot
from participants.models import Tenant
from participants.work import UnitOfWork
from rewards.engine.offers import NoCodesAvailable
from rewards.engine.patterns import random_code
from rewards.models import Claim, Reward, RewardCode

CANDIDATES = 8  # codes that one query looks up
ATTEMPTS = 16


def next_code(reward: Reward, *, work: UnitOfWork) -> RewardCode | None:
    """Return the oldest free code, else a new code of the reward's pattern, else None. Changes nothing.

    Raises: NoCodesAvailable if almost all codes of the pattern exist already.
    """
    if reward.free_codes:
        used = [code.pk for code in _used_in_unit(reward)]
        read = (code for code in work.cache.get(_key(reward.pk), ()) if code.pk not in used)
        free = _codes_of(reward).filter(claim_id=None).exclude(pk__in=used).order_by("pk")
        code = next(read, None) or free.first()
        assert code is not None, "free_codes says that there is one"  # noqa: S101
        return code
    return None if reward.code_pattern is None else _new_code(reward, reward.code_pattern, work=work)


def read_next_code(tenant: Tenant, reward_id: UUID) -> dict[Hashable, Read]:
    """The read of the oldest free code. It saves `next_code` a query if it is executed behind the lock of the reward."""
    values = {"tenant": tenant.pk, "reward": reward_id}
    return {_key(reward_id): lambda connection: _OLDEST_FREE.execute(connection, values)}


def _key(reward_id: UUID) -> Hashable:
    return "rewards.next_code", reward_id


_OLDEST_FREE = Query(
    lambda: RewardCode.objects.filter(
        tenant=Slot("tenant", Reward._meta.get_field("tenant")),
        reward=Slot("reward", Reward._meta.pk),
        claim_id=None,
    ).order_by("pk")[:1]
)


def _new_code(reward: Reward, pattern: str, *, work: UnitOfWork) -> RewardCode:
    """Look up several candidates in one query, so that a second query is rarely needed."""
    used = {code.value for code in _used_in_unit(reward)}
    for _ in range(ATTEMPTS):
        values = [random_code(pattern) for _ in range(CANDIDATES)]
        known = used.union(_codes_of(reward).filter(value__in=values).values_list("value", flat=True))
        if free := [value for value in values if value not in known]:
            return RewardCode(tenant_id=reward.tenant_id, reward_id=reward.pk, value=free[0], created_at=work.now)
    raise NoCodesAvailable


def assign_code(work: UnitOfWork, reward: Reward, claim: Claim, code: RewardCode) -> None:
    """Assign `code`, which `next_code` returned, to `claim`."""
    _used_in_unit(reward).append(code)
    claim.code_value, code.claim_id = code.value, claim.pk
    if code._state.adding:
        work.add(code)
        return
    work.change(code, "claim_id")
    reward.free_codes -= 1
    work.change(reward, "free_codes")


def _codes_of(reward: Reward) -> "QuerySet[RewardCode]":
    return RewardCode.objects.filter(tenant_id=reward.tenant_id, reward_id=reward.pk)


def _used_in_unit(reward: Reward) -> list[RewardCode]:
    used: list[RewardCode] = reward.__dict__.setdefault("_codes_used_in_unit", [])
    return used
