"""Pure rules of tiers: which tier an award leads to, and which tier is next.

Thresholds are numbers of points. They are compared with the balance or with the points ever earned (`Basis`). Levels
order the tiers. Only active, automatic tiers are reached by points.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from uuid import UUID


class Basis(StrEnum):
    """Which number of points a threshold is compared with."""

    BALANCE = "balance"
    LIFETIME = "lifetime"


@dataclass(frozen=True)
class Points:
    """A participant's points at one instant: the balance, and the points ever earned (`lifetime`)."""

    balance: int = 0
    lifetime: int = 0

    def by(self, basis: Basis) -> int:
        return self.balance if basis is Basis.BALANCE else self.lifetime


@dataclass(frozen=True)
class Tier:
    """A compiled tier definition. `min_points` is None for a tier that is never reached by points."""

    id: UUID
    code: str
    name: str
    level: int
    min_points: int | None = None
    basis: Basis = Basis.BALANCE
    is_active: bool = True
    is_automatic: bool = True
    color: str | None = None
    points_multiplier: Decimal | None = None

    @property
    def is_reachable(self) -> bool:
        return self.is_active and self.is_automatic and self.min_points is not None

    @property
    def threshold(self) -> int:
        """The points at which a reachable tier is reached."""
        return self.min_points or 0

    def is_met_by(self, points: Points) -> bool:
        return points.by(self.basis) >= self.threshold


@dataclass(frozen=True)
class Ladder:
    """A tenant's tiers: all of them by code, and the reachable ones (`steps`), lowest first."""

    by_code: Mapping[str, Tier]
    steps: tuple[Tier, ...]

    @classmethod
    def of(cls, tiers: Iterable[Tier]) -> "Ladder":
        by_code = {tier.code: tier for tier in tiers}
        steps = sorted(filter(lambda tier: tier.is_reachable, by_code.values()), key=_order)
        return cls(by_code, tuple(steps))

    def find(self, code: str | None) -> Tier | None:
        """The tier with this code, active or not."""
        return None if code is None else self.by_code.get(code)

    def above(self, current: Tier | None) -> tuple[Tier, ...]:
        """Steps of a higher level than `current`, lowest first. All steps if there is no current tier."""
        if current is None:
            return self.steps
        return tuple(tier for tier in self.steps if tier.level > current.level)


def disorders(tiers: Iterable[Tier]) -> list[str]:
    """Return a sentence for each active tier that has the level of another one, and for each that is reached before a lower tier.

    Such tiers are allowed, but they are mostly mistakes: no participant is ever in a tier if a higher one is reached with fewer points.
    """
    active = sorted((tier for tier in tiers if tier.is_active), key=_order)
    twice = [
        f"“{tier.name}” has the same level as “{other.name}”: {tier.level}."
        for other, tier in pairwise(active)
        if tier.level == other.level
    ]
    return twice + [sentence for basis in Basis for sentence in _overtaken(active, basis)]


def _overtaken(active: Iterable[Tier], basis: Basis) -> Iterator[str]:
    highest: Tier | None = None
    for tier in active:
        if not tier.is_reachable or tier.basis is not basis:
            continue
        if highest is not None and tier.threshold < highest.threshold and tier.level > highest.level:
            yield (
                f"“{tier.name}” (level {tier.level}) is reached at {tier.threshold:,} points, before the lower “{highest.name}” "
                f"(level {highest.level}), which needs {highest.threshold:,}."
            )
        elif highest is None or tier.threshold > highest.threshold:
            highest = tier


def _order(tier: Tier) -> tuple[int, int, str]:
    """Sort key of steps. Tiers of one level are ordered by threshold, then by code, so that all processes agree."""
    return tier.level, tier.threshold, tier.code


def tier_after_award(
    ladder: Ladder, current: Tier | None, *, is_manual: bool, before: Points, after: Points
) -> Tier | None:
    """Return the new tier after an award, or None if the tier stays (docs/contract.md §7).

    `before` and `after` are the participant's points before and after the award. The new tier is the highest one above the
    current tier whose threshold `after` meets. If the current tier was assigned by hand
    (`is_manual`), only thresholds count that this award crosses.
    """
    for tier in reversed(ladder.above(current)):
        if tier.is_met_by(after) and not (is_manual and tier.is_met_by(before)):
            return tier
    return None


def is_entry(tier: Tier, *, current: Tier | None) -> bool:
    """Whether entering `tier` is the first entry at threshold 0. It happens with the first award and is not an upgrade."""
    return current is None and tier.threshold == 0


def next_tier(ladder: Ladder, current: Tier | None) -> Tier | None:
    """The lowest step above the current level, or None at the top."""
    return next(iter(ladder.above(current)), None)


def points_remaining(tier: Tier, points: Points) -> int:
    """Points that are missing to the threshold of `tier`, at least 0."""
    return max(0, tier.threshold - points.by(tier.basis))
