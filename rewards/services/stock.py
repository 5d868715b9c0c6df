"""Codes come into stock, and what was granted without stock is handed out then."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gamify.facts import services as facts
from participants.engine import uuid_of
from participants.errors import DomainError
from participants.models import Tenant
from participants.work import UnitOfWork, restartable, unit_of_work, unit_over
from rewards.engine import NoCodesAvailable, OutOfStock
from rewards.models import Claim, ClaimStatus, Reward, RewardCode
from rewards.selectors import known_codes
from rewards.services.handing import RewardNotFound, loads_of, locked_reward, piece_in_stock, supply, tell
from rewards.services.multipliers import switch_on

CHUNK = 100


@dataclass(frozen=True)
class CodeTaken:
    """What became of one code. `is_repeat`: it was there already, or earlier in the list."""

    code: str
    is_repeat: bool
    refusal: DomainError | None = None


Then = Callable[[UnitOfWork, Sequence[CodeTaken]], None]


@dataclass(frozen=True)
class CodesAdded:
    """What became of each, in the order given, and how many codes nobody has now."""

    taken: Sequence[CodeTaken]
    available: int

    @property
    def added(self) -> int:
        return sum(not each.is_repeat for each in self.taken)

    @property
    def duplicates(self) -> Sequence[str]:
        return [each.code for each in self.taken if each.is_repeat]


@restartable
def add_codes(
    *,
    tenant: Tenant,
    reward_id: str,
    codes: Sequence[str],
    now: datetime,
    is_dry_run: bool = False,
    then: Then | None = None,
) -> CodesAdded:
    """Put codes into the stock of a reward, whose row is locked meanwhile. Raises RewardNotFound.

    `then` is called with what became of them before the unit ends, to write what belongs to it, and anew if it is restarted.
    """
    known = uuid_of(reward_id)
    if known is None:
        raise RewardNotFound(reward_id)
    with unit_of_work(tenant, [], now=now, is_dry_run=is_dry_run) as work:
        reward = locked_reward(work, known)
        taken = list(_taken(codes, known_codes(reward, codes)))
        _put(work, reward, [each.code for each in taken if not each.is_repeat])
        if then is not None:
            then(work, taken)
        return CodesAdded(taken, reward.free_codes)


def _taken(codes: Sequence[str], known: Collection[str]) -> Iterator[CodeTaken]:
    seen = set(known)
    for code in codes:
        yield CodeTaken(code, is_repeat=code in seen)
        seen.add(code)


def _put(work: UnitOfWork, reward: Reward, codes: Sequence[str]) -> None:
    if not codes:
        return
    about = {"tenant_id": reward.tenant_id, "reward_id": reward.pk, "created_at": work.now}
    work.add(*(RewardCode(value=code, **about) for code in codes))
    reward.free_codes, reward.has_codes = reward.free_codes + len(codes), True
    work.change(reward, "free_codes", "has_codes")


def serve_waiting(*, reward: Reward, now: datetime) -> int:
    """Hand out `reward` to those it was granted to while there was none, first come first, as far as stock goes; answers to how
    many."""
    return sum(serving_waiting(reward=reward, now=now))


def serving_waiting(*, reward: Reward, now: datetime) -> Iterator[int]:
    """As `serve_waiting`, a chunk each time it is asked."""
    while served := _serve(tenant=reward.tenant, reward=reward, now=now):
        yield served


@restartable
def _serve(*, tenant: Tenant, reward: Reward, now: datetime) -> int:
    waiting = Claim.objects.filter(tenant_id=tenant.pk, reward_id=reward.pk, status=ClaimStatus.PENDING)
    chunk = list(waiting.order_by("pk")[:CHUNK])
    served = 0
    people = [claim.participant_id for claim in chunk]
    with unit_over(tenant, people, now=now, loads=[loads_of(reward.pk)], waits=True) as work:
        locked = locked_reward(work, reward.pk)
        for found in chunk:
            participant, claim = work.locked.get(found.participant_id), work.lock(Claim, found.pk)
            if participant is None or claim is None or claim.status != ClaimStatus.PENDING:
                continue
            try:
                code = piece_in_stock(work, locked)
            except (OutOfStock, NoCodesAvailable):
                break
            supply(work, locked, claim, code)
            claim.status = ClaimStatus.CLAIMED
            work.change(claim, "status", "code_value")
            switch_on(work, participant, locked, claim)
            participant.rewards_claimed += 1
            work.touch(participant, is_seen=False)
            tell(work, "reward.claimed", participant, claim)
            facts.settle(work, participant, now=now)
            served += 1
    return served
