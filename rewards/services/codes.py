"""Selects the code of a claim: one in stock, or one that is made on demand.

The reward is locked, so no other transaction takes or makes one of its codes. The codes that this unit hands out are not in the
database yet; a list on the reward row has them.
"""

from django.db.models import QuerySet

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
        code = _codes_of(reward).filter(claim_id=None).exclude(pk__in=used).order_by("pk").first()
        assert code is not None, "free_codes says that there is one"  # noqa: S101
        return code
    return None if reward.code_pattern is None else _new_code(reward, reward.code_pattern, work=work)


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
