"""The code that goes with a claim: one of the stock, or one made on demand.

The reward is locked: nobody else takes or makes one of its codes meanwhile. What this unit has handed out is not in the
database yet, and stands on the reward.
"""

from django.db.models import QuerySet

from participants.work import UnitOfWork
from rewards.engine import NoCodesAvailable, random_code
from rewards.models import Claim, Reward, RewardCode

CANDIDATES = 8
ATTEMPTS = 16


def next_code(reward: Reward, *, work: UnitOfWork) -> RewardCode | None:
    """The oldest of the stock; one of the reward's pattern where there is none; None where it has neither. Nothing is changed.

    Raises NoCodesAvailable where almost all that the pattern can make were made.
    """
    if reward.free_codes:
        taken = [code.pk for code in _handed_out(reward)]
        code = _codes_of(reward).filter(claim_id=None).exclude(pk__in=taken).order_by("pk").first()
        assert code is not None, "free_codes counts them"  # noqa: S101
        return code
    return None if reward.code_pattern is None else _made(reward, reward.code_pattern, work=work)


def _made(reward: Reward, pattern: str, *, work: UnitOfWork) -> RewardCode:
    """A handful is looked up at once, so that one question does, however many codes there are."""
    handed_out = {code.value for code in _handed_out(reward)}
    for _ in range(ATTEMPTS):
        values = [random_code(pattern) for _ in range(CANDIDATES)]
        known = handed_out.union(_codes_of(reward).filter(value__in=values).values_list("value", flat=True))
        if free := [value for value in values if value not in known]:
            return RewardCode(tenant_id=reward.tenant_id, reward_id=reward.pk, value=free[0], created_at=work.now)
    raise NoCodesAvailable


def assign_code(work: UnitOfWork, reward: Reward, claim: Claim, code: RewardCode) -> None:
    """Write down that `claim` has `code`, which `next_code` has found."""
    _handed_out(reward).append(code)
    claim.code_value, code.claim_id = code.value, claim.pk
    if code._state.adding:
        work.add(code)
        return
    work.change(code, "claim_id")
    reward.free_codes -= 1
    work.change(reward, "free_codes")


def _codes_of(reward: Reward) -> "QuerySet[RewardCode]":
    return RewardCode.objects.filter(tenant_id=reward.tenant_id, reward_id=reward.pk)


def _handed_out(reward: Reward) -> list[RewardCode]:
    handed_out: list[RewardCode] = reward.__dict__.setdefault("_handed_out_in_this_unit", [])
    return handed_out
