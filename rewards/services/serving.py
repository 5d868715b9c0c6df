"""Participants who wait for a reward get it in the transaction that brings stock, before anybody who asks later."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import takewhile

from gamify.facts import services as facts
from participants.models import Tenant
from participants.work import UnitOfWork, restart_with_participants, restartable, unit_for_ids
from rewards.engine import NoCodesAvailable
from rewards.models import Claim, ClaimStatus, Reward
from rewards.services.codes import next_code
from rewards.services.issuing import emit_claim_event, issue_stock, lock_reward, tally_load
from rewards.services.multipliers import start_multiplier
from rewards.services.pending import has_new_stock, mark_stock_served, next_pending_claims

CHUNK = 100  # claims that one transaction serves at most


def serve_new_stock(work: UnitOfWork) -> None:
    """Hand out what this unit has brought into stock. It is the last step of every unit, whichever use case brought the stock."""
    rewards = [reward for reward in work.locked_rows(Reward) if has_new_stock(work, reward)]
    if rewards:
        work.drain_emitted()  # what the use case did not let definitions hear, they must not hear now
    for reward in rewards:
        serve(work, reward)


def serve(work: UnitOfWork, reward: Reward) -> int:
    """Hand out the locked `reward` to the first CHUNK of those who wait, as far as stock goes. Returns to how many.

    Restarts the unit when it has not locked the participants of these claims. Those behind the first CHUNK are left to the sweep; until
    then nobody else gets a piece (`piece_in_stock`).
    """
    claims = next_pending_claims(work, reward, limit=CHUNK)
    unlocked = {claim.participant_id: claim.participant.external_id for claim in claims}
    for participant_id in work.locked_participants:
        unlocked.pop(participant_id, None)
    if unlocked:
        restart_with_participants(unlocked)
    served = _serve_all(work, reward, list(takewhile(lambda claim: claim.participant_id not in unlocked, claims)))
    mark_stock_served(work, reward)
    return served


def _serve_all(work: UnitOfWork, reward: Reward, claims: Sequence[Claim]) -> int:
    work.load([tally_load(reward.pk)])
    for served, claim in enumerate(claims):
        try:
            code = next_code(reward, work=work)
        except NoCodesAvailable:
            return served
        issue_stock(work, reward, claim, code)
        _hand_over(work, reward, claim)
    return len(claims)


def _hand_over(work: UnitOfWork, reward: Reward, claim: Claim) -> None:
    participant = work.locked_participants[claim.participant_id]
    claim.status = ClaimStatus.CLAIMED
    work.change(claim, "status", "code_value")
    start_multiplier(work, participant, reward, claim)
    participant.rewards_claimed += 1
    work.touch(participant, is_seen=False)
    emit_claim_event(work, "reward.claimed", participant, claim)
    facts.publish_changes(work, participant, now=work.now)


def serve_pending_claims(*, reward: Reward, now: datetime) -> int:
    """Hand out `reward` to those who wait, first come first, as far as stock goes. Returns to how many."""
    return sum(serve_pending_in_chunks(reward=reward, now=now))


def serve_pending_in_chunks(*, reward: Reward, now: datetime) -> Iterator[int]:
    """The same, a chunk each time it is asked."""
    while served := _serve_chunk(tenant=reward.tenant, reward=reward, now=now):
        yield served


@restartable
def _serve_chunk(*, tenant: Tenant, reward: Reward, now: datetime) -> int:
    people = list(Claim.objects.pending_for(reward).values_list("participant_id", flat=True)[:CHUNK])
    with unit_for_ids(tenant, people, now=now, loads=[tally_load(reward.pk)], waits=True) as work:
        return serve(work, lock_reward(work, reward.pk))
