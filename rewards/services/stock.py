"""Codes come into stock, and what was granted without stock is handed out then."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from gamify.facts import services as facts
from participants.engine import uuid_of
from participants.models import Tenant
from participants.work import restartable, unit_over
from rewards.engine import NoCodesAvailable, OutOfStock
from rewards.models import Claim, ClaimStatus, Reward, RewardCode
from rewards.services.handing import RewardNotFound, loads_of, locked_reward, piece_in_stock, supply, tell
from rewards.services.multipliers import switch_on

AT_ONCE = 1_000
CHUNK = 100


@dataclass(frozen=True)
class CodesAdded:
    """How many were new, and those that were there already, or twice in the list, in the order given."""

    added: int
    duplicates: Sequence[str]
    available: int


@transaction.atomic
def add_codes(*, tenant: Tenant, reward_id: str, codes: Sequence[str], now: datetime) -> CodesAdded:
    """Put codes into the stock of a reward. Raises RewardNotFound."""
    known = uuid_of(reward_id)
    rows = Reward.objects.of(tenant).filter(pk=known) if known else Reward.objects.none()
    reward = rows.select_for_update().first()
    if reward is None:
        raise RewardNotFound(reward_id)
    taken = _known_values(reward, codes)
    new = [code for code in dict.fromkeys(codes) if code not in taken]
    made = [RewardCode(tenant_id=tenant.pk, reward_id=reward.pk, value=code, created_at=now) for code in new]
    RewardCode.objects.bulk_create(made, batch_size=AT_ONCE)
    if new:
        reward.free_codes, reward.has_codes = reward.free_codes + len(new), True
        reward.save(update_fields=["free_codes", "has_codes"])
    return CodesAdded(len(new), _duplicates(codes, taken), reward.free_codes)


def _known_values(reward: Reward, codes: Sequence[str]) -> set[str]:
    values = sorted(set(codes))
    known = RewardCode.objects.filter(tenant_id=reward.tenant_id, reward_id=reward.pk)
    return {
        value
        for start in range(0, len(values), AT_ONCE)
        for value in known.filter(value__in=values[start : start + AT_ONCE]).values_list("value", flat=True)
    }


def _duplicates(codes: Sequence[str], taken: set[str]) -> list[str]:
    seen, found = set(taken), []
    for code in codes:
        if code in seen:
            found.append(code)
        seen.add(code)
    return found


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
