"""Closes claims: fulfils them, or cancels and refunds them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from gamify.facts import services as facts
from gamify.points.models import LedgerEntry
from gamify.points.services import Note, NotReversible, refund
from participants.errors import DomainError, NotFound
from participants.models import Participant, Tenant
from participants.selectors import row_by_id
from participants.work import UnitOfWork, restartable, unit_for_ids
from rewards.models import Claim, ClaimStatus, RewardTally
from rewards.services.issuing import emit_claim_event, lock_reward, tally_load
from rewards.services.multipliers import end_multiplier


class ClaimNotFound(NotFound):
    code = "claim_not_found"
    noun = "Claim"


class AlreadyCancelled(DomainError):
    code = "already_cancelled"

    def __init__(self) -> None:
        super().__init__("Claim is cancelled already")


class ClaimNotOpen(DomainError):
    """Only a claim with status `claimed` can be fulfilled."""

    code = "claim_not_open"

    def __init__(self, status: str) -> None:
        super().__init__(f"Claim is {status}")


@restartable
def cancel(*, tenant: Tenant, claim_id: str, reason: str | None, now: datetime) -> Claim:
    """Cancel a claim: return its points and its piece of the inventory, and end its points multiplier.

    A code that was handed out may have been used, so it is not returned. Raises: ClaimNotFound or AlreadyCancelled.
    """
    with claim_unit(tenant, claim_id, now=now) as (work, participant, claim):
        cancel_claim(work, participant, claim, reason)
        facts.publish_changes(work, participant, now=now)
        return claim


def cancel_claim(work: UnitOfWork, participant: Participant, claim: Claim, reason: str | None) -> LedgerEntry | None:
    """Cancel a locked claim, in a unit that has loaded `tally_load` of its reward. Returns the refund, if any.

    Raises: AlreadyCancelled.
    """
    if claim.status == ClaimStatus.CANCELLED:
        raise AlreadyCancelled
    if claim.status != ClaimStatus.PENDING:
        _return(work, participant, claim)
    refunded = _refund(work, participant, claim, reason)
    tally = work.row(RewardTally, participant, claim.reward_id)
    assert tally is not None, "a participant with a claim has a tally"  # noqa: S101
    tally.claims -= 1
    work.change(tally, "claims")
    end_multiplier(work, participant, claim, tally)
    _close(work, claim, ClaimStatus.CANCELLED, reason)
    work.touch(participant, is_seen=False)
    emit_claim_event(work, "reward.cancelled", participant, claim, reason=reason)
    return refunded


def undo_payment(work: UnitOfWork, participant: Participant, entry: LedgerEntry, note: Note) -> LedgerEntry:
    """Reverse the ledger entry that paid for a claim, by cancelling the claim. Raises: AlreadyCancelled or NotReversible."""
    found = Claim.objects.of(participant).filter(entry_id=entry.pk).first()
    claim = work.lock(Claim, found.pk) if found else None
    if claim is None:
        raise NotReversible("Its claim does not exist")
    work.load([tally_load(claim.reward_id)])
    refunded = cancel_claim(work, participant, claim, note.reason)
    assert refunded is not None, "the entry paid for the claim"  # noqa: S101
    return refunded


def _return(work: UnitOfWork, participant: Participant, claim: Claim) -> None:
    reward = lock_reward(work, claim.reward_id)
    reward.claimed -= 1
    work.change(reward, "claimed")
    participant.rewards_claimed -= 1


def _refund(work: UnitOfWork, participant: Participant, claim: Claim, reason: str | None) -> LedgerEntry | None:
    if claim.entry_id is None:
        return None
    note = Note(reason or f"Reward {claim.reward_name} cancelled", {"claim_id": str(claim.pk)}, claim.event_id)
    entry = refund(work, participant, claim.points_deducted, note=note, reverses_id=claim.entry_id)
    claim.refund_id = entry.pk
    return entry


def _close(work: UnitOfWork, claim: Claim, status: ClaimStatus, reason: str | None) -> None:
    claim.status, claim.reason, claim.closed_at = status, reason, work.now
    work.change(claim, "status", "reason", "closed_at", "refund_id")


@restartable
def fulfil(*, tenant: Tenant, claim_id: str, reason: str | None, now: datetime) -> Claim:
    """Mark a claim as fulfilled: the reward was sent, activated or used. Repeating the call changes nothing.

    Raises: ClaimNotFound or ClaimNotOpen.
    """
    with claim_unit(tenant, claim_id, now=now) as (work, participant, claim):
        if claim.status == ClaimStatus.FULFILLED:
            return claim
        if claim.status != ClaimStatus.CLAIMED:
            raise ClaimNotOpen(claim.status)
        _close(work, claim, ClaimStatus.FULFILLED, reason)
        emit_claim_event(work, "reward.fulfilled", participant, claim, reason=reason)
        facts.publish_changes(work, participant, now=now)
        return claim


@contextmanager
def claim_unit(tenant: Tenant, claim_id: str, *, now: datetime) -> Iterator[tuple[UnitOfWork, Participant, Claim]]:
    """Lock the claim's participant, then the claim. Raises: ClaimNotFound."""
    found = row_by_id(Claim.objects.filter(tenant_id=tenant.pk), claim_id)
    if found is None:
        raise ClaimNotFound(claim_id)
    loads = [tally_load(found.reward_id)]
    with unit_for_ids(tenant, [found.participant_id], now=now, loads=loads, waits=True) as work:
        participant, claim = work.locked_participants.get(found.participant_id), work.lock(Claim, found.pk)
        if participant is None or claim is None:
            raise ClaimNotFound(claim_id)
        yield work, participant, claim
