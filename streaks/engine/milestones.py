"""Milestones: lengths of a run at which something is given (contract §10).

One that is not repeatable is paid once to a participant, ever; a repeatable one once in each run. A payment is noted with a window
of the run that reached it: when late ticks join two runs, what either has paid is paid, and when an excuse is taken back the
payment stays with the part that holds the window.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streaks.engine.counting import Chain, Payments


@dataclass(frozen=True)
class Milestone:
    """`reward` is the id of what is given, None where reaching it is all."""

    threshold: int
    reward: str | None = None
    is_repeatable: bool = False


def due_milestones(milestones: Iterable[Milestone], chain: Chain, paid: Payments) -> list[Milestone]:
    """The milestones that `chain` has reached and nobody has paid, lowest first."""
    reached = (milestone for milestone in milestones if milestone.threshold <= chain.count)
    return sorted(
        (milestone for milestone in reached if not is_paid(milestone, chain, paid)),
        key=lambda milestone: milestone.threshold,
    )


def is_paid(milestone: Milestone, chain: Chain | None, paid: Payments) -> bool:
    """Whether `chain`, or for one that is not repeatable any chain ever, has paid `milestone`."""
    windows = [window for threshold, window in paid if threshold == milestone.threshold]
    if not milestone.is_repeatable:
        return bool(windows)
    return chain is not None and any(window is not None and chain.first <= window <= chain.last for window in windows)


def with_payments(paid: Payments, milestones: Iterable[Milestone], chain: Chain) -> Payments:
    """`paid` once `chain` has paid `milestones`."""
    return (*paid, *((milestone.threshold, chain.last) for milestone in milestones))


def earned_thresholds(milestones: Iterable[Milestone], chain: Chain | None, paid: Payments) -> list[int]:
    """Thresholds that count as unlocked while `chain` (None: nothing) is alive, lowest first."""
    return sorted(milestone.threshold for milestone in milestones if is_paid(milestone, chain, paid))


def next_threshold(milestones: Sequence[Milestone], chain: Chain | None, paid: Payments) -> int | None:
    """The lowest threshold that is still to be unlocked; None where all are."""
    left = (milestone.threshold for milestone in milestones if not is_paid(milestone, chain, paid))
    return min(left, default=None)
