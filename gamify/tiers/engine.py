"""Pure rules of tiers: which one an award leads into, and what comes next.

Thresholds are points, compared with the balance or with the points ever earned (`Basis`). Levels order tiers; a tier is
reached by points only if it is automatic and active.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


class Basis(StrEnum):
    """What a threshold is compared with."""

    BALANCE = "balance"
    LIFETIME = "lifetime"


@dataclass(frozen=True)
class Points:
    """What a participant holds at one moment: points to spend, and points ever earned."""

    balance: int = 0
    lifetime: int = 0

    def by(self, basis: Basis) -> int:
        return self.balance if basis is Basis.BALANCE else self.lifetime


@dataclass(frozen=True)
class Tier:
    """One definition. `min_points` is None for a tier that points never lead into."""

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
        """`min_points` of a tier that is reachable."""
        return self.min_points or 0

    def is_met_by(self, points: Points) -> bool:
        return points.by(self.basis) >= self.threshold


@dataclass(frozen=True)
class Ladder:
    """A tenant's tiers: all of them by code, and those that points lead into, lowest first."""

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
        """Steps of a higher level than `current`, lowest first; all of them for who has no tier."""
        if current is None:
            return self.steps
        return tuple(tier for tier in self.steps if tier.level > current.level)


def _order(tier: Tier) -> tuple[int, int, str]:
    """Tiers of one level are told apart by threshold, then by code, so that every process agrees."""
    return tier.level, tier.threshold, tier.code


def tier_after_award(
    ladder: Ladder, current: Tier | None, *, is_manual: bool, before: Points, after: Points
) -> Tier | None:
    """The tier that an award from `before` to `after` leads into, or None where it leads into none (contract §7).

    It is the highest above the current one whose threshold is met. A tier given by hand (`is_manual`) yields only to
    thresholds that this very award crosses.
    """
    for tier in reversed(ladder.above(current)):
        if tier.is_met_by(after) and not (is_manual and tier.is_met_by(before)):
            return tier
    return None


def is_entry(tier: Tier, *, current: Tier | None) -> bool:
    """Whether `tier` is where everyone begins: entered from nowhere, with the first award, and not called an upgrade."""
    return current is None and tier.threshold == 0


def next_tier(ladder: Ladder, current: Tier | None) -> Tier | None:
    """The lowest step above the current level, or None at the top."""
    return next(iter(ladder.above(current)), None)


def points_remaining(tier: Tier, points: Points) -> int:
    """Points still missing to the threshold of `tier`, never below 0."""
    return max(0, tier.threshold - points.by(tier.basis))
