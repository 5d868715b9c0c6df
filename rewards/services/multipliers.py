"""Points multipliers: they start with a claim, end when it is cancelled, and multiply awards in between."""

from collections.abc import Iterator
from dataclasses import astuple
from datetime import datetime
from decimal import Decimal

from participants.models import Participant
from participants.work import Load, UnitOfWork
from rewards.engine.multipliers import Multiplier, multiplier_of
from rewards.models import Claim, ClaimStatus, Reward, RewardTally
from rewards.selectors import multiplier_reward_ids


def start_multiplier(work: UnitOfWork, participant: Participant, reward: Reward, claim: Claim) -> None:
    """Start the reward's multiplier for `claim`, if it is one. The unit has loaded `tally_load`.

    A multiplier that is claimed again restarts; it does not multiply with itself.
    """
    if reward.config is None:
        return
    multiplier, tally = multiplier_of(reward.config, since=work.now), work.row(RewardTally, participant, reward.pk)
    assert tally is not None, "a participant with a claim has a tally"  # noqa: S101
    for row in (claim, tally):
        _write(work, row, multiplier)


def _write(work: UnitOfWork, row: Claim | RewardTally, multiplier: Multiplier | None) -> None:
    row.multiplier, row.active_from, row.active_until = astuple(multiplier) if multiplier else (None, None, None)
    work.change(row, "multiplier", "active_from", "active_until")


def end_multiplier(work: UnitOfWork, participant: Participant, claim: Claim, tally: RewardTally) -> None:
    """End a claim's multiplier now. That of an earlier claim of the same reward continues."""
    if claim.active_until is None:
        return
    claim.active_until = min(claim.active_until, work.now)
    others = Claim.objects.of(participant).filter(reward_id=claim.reward_id, active_until__gt=work.now)
    newest = others.exclude(pk=claim.pk).exclude(status=ClaimStatus.CANCELLED).newest_first().first()
    _write(work, tally, newest.as_multiplier if newest else None)
    work.change(claim, "active_until")


def multipliers_at(work: UnitOfWork, participant: Participant, at: datetime) -> Iterator[Decimal]:
    """Yield the factors of the participant's multipliers that are active at `at`, the time of the event that earns points.

    One query for the whole unit; none if the tenant has no multipliers or the participant has no rewards.
    """
    rewards = multiplier_reward_ids(work.catalog)
    if not rewards or not participant.rewards_claimed:
        return
    work.load([Load(RewardTally, "reward_id", rewards)])
    for reward_id in rewards:
        tally = work.row(RewardTally, participant, reward_id)
        multiplier = tally.as_multiplier if tally else None
        if multiplier is not None and multiplier.is_active(at):
            yield multiplier.factor
