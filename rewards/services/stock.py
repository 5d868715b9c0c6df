"""The stock of a reward: adds codes to it, and says what it was."""

from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime

from participants.engine import uuid_of
from participants.errors import DomainError
from participants.models import Tenant
from participants.services.changes import record_change
from participants.work import UnitOfWork, restartable, unit_of_work
from rewards.engine.offers import pieces_left
from rewards.models import Reward, RewardCode
from rewards.selectors import existing_codes
from rewards.services.issuing import RewardNotFound, lock_reward
from rewards.services.pending import offer_of


@dataclass(frozen=True)
class CodeResult:
    """The result for one code. `is_repeat`: the reward has it already, or it is earlier in the list."""

    code: str
    is_repeat: bool
    refusal: DomainError | None = None


BeforeEnd = Callable[[UnitOfWork, Sequence[CodeResult]], None]


@dataclass(frozen=True)
class CodesAdded:
    """One result per code, in the order given, and the number of free codes afterwards."""

    results: Sequence[CodeResult]
    available: int

    @property
    def added(self) -> int:
        return sum(not each.is_repeat for each in self.results)

    @property
    def duplicates(self) -> Sequence[str]:
        return [each.code for each in self.results if each.is_repeat]


@restartable
def add_codes(
    *,
    tenant: Tenant,
    reward_id: str,
    codes: Sequence[str],
    now: datetime,
    is_dry_run: bool = False,
    then: BeforeEnd | None = None,
) -> CodesAdded:
    """Add codes to the stock of a reward and serve its pending claims. Raises: RewardNotFound.

    `then` is called with the results before the unit ends, to write what belongs to the same transaction. It is called again if the unit
    restarts.
    """
    known = uuid_of(reward_id)
    if known is None:
        raise RewardNotFound(reward_id)
    with unit_of_work(tenant, [], now=now, is_dry_run=is_dry_run) as work:
        reward = lock_reward(work, known)
        results = list(_results(codes, existing_codes(reward, codes)))
        _store(work, reward, [each.code for each in results if not each.is_repeat])
        if then is not None:
            then(work, results)
    return CodesAdded(results, reward.free_codes)  # read after the unit, which may have handed some codes out


def _results(codes: Sequence[str], known: Collection[str]) -> Iterator[CodeResult]:
    seen = set(known)
    for code in codes:
        yield CodeResult(code, is_repeat=code in seen)
        seen.add(code)


def _store(work: UnitOfWork, reward: Reward, codes: Sequence[str]) -> None:
    if not codes:
        return
    about = {"tenant_id": reward.tenant_id, "reward_id": reward.pk, "created_at": work.now}
    work.insert_now(*(RewardCode(value=code, **about) for code in codes))
    reward.free_codes, reward.has_codes = reward.free_codes + len(codes), True
    work.change(reward, "free_codes", "has_codes")
    if not work.is_dry_run:
        stock = {"codes_added": {"before": None, "after": len(codes)}}
        record_change(
            reward, object_type="reward", code=reward.code, changes=stock, tenant_id=reward.tenant_id, now=work.now
        )


def with_earlier_stock(reward: Reward, *, issued: int) -> Reward:
    """Return an unsaved copy of the reward as it was before the last `issued` pieces were handed out, for dry runs.

    It has no codes: as many pieces as there were codes. So no codes are read or made for it.
    """
    earlier, left = copy(reward), pieces_left(offer_of(reward))
    earlier.claimed = max(reward.claimed - issued, 0)
    earlier.total_inventory = None if left is None else earlier.claimed + issued + left
    earlier.has_codes, earlier.free_codes, earlier.code_pattern = False, 0, None
    return earlier
