"""Serves pending claims in the transaction that brings stock, before any later request."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import takewhile

from gamify.facts import services as facts
from participants.models import Tenant
from participants.work import UnitOfWork, restart_with_participants, restartable, unit_for_ids
from rewards.engine.offers import NoCodesAvailable
from rewards.models import Claim, ClaimStatus, Reward
from rewards.services.codes import next_code
from rewards.services.issuing import emit_claim_event, issue_stock, lock_reward, tally_load
from rewards.services.multipliers import start_multiplier
from rewards.services.pending import has_new_stock, mark_stock_served, next_pending_claims

CHUNK = 100  # maximum number of claims that one transaction serves


def serve_new_stock(work: UnitOfWork) -> None:
    """Serve pending claims with the stock that this unit brought. Every unit runs this as its last step."""
    rewards = [reward for reward in work.locked_rows(Reward) if has_new_stock(work, reward)]
    if rewards:
        work.drain_emitted()  # definitions must not react now to events that the use case did not publish to them
    for reward in rewards:
        serve(work, reward)


def serve(work: UnitOfWork, reward: Reward) -> int:
    """Serve the first CHUNK pending claims of a locked reward, as far as stock goes. Returns the number served.

    Restarts the unit if it has not locked the participants of these claims. The sweep serves the claims after CHUNK; until then no
    later request gets a piece (`reserve_code`).
    """
    claims = next_pending_claims(work, reward, limit=CHUNK)
    unlocked = {claim.participant_id: claim.participant.external_id for claim in claims}
    for participant_id in work.locked_participants:
        unlocked.pop(participant_id, None)
    if unlocked:
        restart_with_participants(unlocked)
    served = _serve_claims(work, reward, list(takewhile(lambda claim: claim.participant_id not in unlocked, claims)))
    mark_stock_served(work, reward)
    return served


def _serve_claims(work: UnitOfWork, reward: Reward, claims: Sequence[Claim]) -> int:
    work.load([tally_load(reward.pk)])
    for served, claim in enumerate(claims):
        try:
            code = next_code(reward, work=work)
        except NoCodesAvailable:
            return served
        issue_stock(work, reward, claim, code)
        _complete_claim(work, reward, claim)
    return len(claims)


def _complete_claim(work: UnitOfWork, reward: Reward, claim: Claim) -> None:
    participant = work.locked_participants[claim.participant_id]
    claim.status = ClaimStatus.CLAIMED
    work.change(claim, "status", "code_value")
    start_multiplier(work, participant, reward, claim)
    participant.rewards_claimed += 1
    work.touch(participant, is_seen=False)
    emit_claim_event(work, "reward.claimed", participant, claim)
    facts.publish_changes(work, participant, now=work.now)


def serve_pending_in_chunks(*, reward: Reward, now: datetime) -> Iterator[int]:
    """Generator: serves all pending claims of `reward`, as far as stock goes, and yields the number served in each chunk."""
    while served := _serve_chunk(tenant=reward.tenant, reward=reward, now=now):
        yield served


@restartable
def _serve_chunk(*, tenant: Tenant, reward: Reward, now: datetime) -> int:
    participant_ids = list(Claim.objects.pending_for(reward).values_list("participant_id", flat=True)[:CHUNK])
    with unit_for_ids(tenant, participant_ids, now=now, loads=[tally_load(reward.pk)], waits=True) as work:
        return serve(work, lock_reward(work, reward.pk))
