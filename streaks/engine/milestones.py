"""Milestones: lengths of a run that give a reward (docs/contract.md §10).

A milestone is paid once per participant ever, or once per run if it is repeatable. A payment is stored with a window of the
run that reached it. When late ticks join two runs, the payments of both count. When an excuse is withdrawn and a run splits,
the payment stays with the part that contains the window.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streaks.engine.counting import Chain, Payments


@dataclass(frozen=True)
class Milestone:
    """A length of a run. `reward` is the id of the reward that is granted, or None."""

    threshold: int
    reward: str | None = None
    is_repeatable: bool = False


def due_milestones(milestones: Iterable[Milestone], chain: Chain, paid: Payments) -> list[Milestone]:
    """The milestones that `chain` has reached and that are not paid yet, lowest first."""
    reached = (milestone for milestone in milestones if milestone.threshold <= chain.count)
    return sorted(
        (milestone for milestone in reached if not is_paid(milestone, chain, paid)),
        key=lambda milestone: milestone.threshold,
    )


def is_paid(milestone: Milestone, chain: Chain | None, paid: Payments) -> bool:
    """Whether `milestone` is paid: by `chain` if it is repeatable, else by any chain ever."""
    windows = [window for threshold, window in paid if threshold == milestone.threshold]
    if not milestone.is_repeatable:
        return bool(windows)
    return chain is not None and any(window is not None and chain.first <= window <= chain.last for window in windows)


def with_payments(paid: Payments, milestones: Iterable[Milestone], chain: Chain) -> Payments:
    """Add payments of `milestones` by `chain`."""
    return (*paid, *((milestone.threshold, chain.last) for milestone in milestones))


def earned_thresholds(milestones: Iterable[Milestone], chain: Chain | None, paid: Payments) -> list[int]:
    """The thresholds that count as unlocked while `chain` is alive, lowest first. `chain` is None if no run is alive."""
    return sorted(milestone.threshold for milestone in milestones if is_paid(milestone, chain, paid))


def next_threshold(milestones: Sequence[Milestone], chain: Chain | None, paid: Payments) -> int | None:
    """The lowest threshold that is not unlocked yet, or None."""
    left = (milestone.threshold for milestone in milestones if not is_paid(milestone, chain, paid))
    return min(left, default=None)
