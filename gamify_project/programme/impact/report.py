"""The differences between what two sets of definitions give for the same past."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gamify_project.programme.impact.past import Person

MOST = 20  # participants that a report names
KINDS = {"badge": "badges", "reward": "rewards", "challenge": "challenges"}

Thing = tuple[str, str]
"""Kind and code of a badge, a reward or a completed challenge."""


@dataclass
class Gained:
    """What one participant got in the period: points, things by kind and code, and the tier at its end."""

    points: int = 0
    things: Counter[Thing] = field(default_factory=Counter)
    tier: str | None = None


@dataclass(frozen=True)
class Difference:
    """How one participant would differ at the end of the period. Numbers of things are negative if they would be lost."""

    participant_id: str
    points: int
    things: Mapping[Thing, int]
    tier_before: str | None
    tier_after: str | None

    @property
    def weight(self) -> tuple[int, int]:
        changes = sum(map(abs, self.things.values())) + (self.tier_before != self.tier_after)
        return abs(self.points), changes

    def to_json(self) -> dict[str, Any]:
        """Return the difference as the report shows it."""
        things = [
            {"type": kind, "code": code, "change": change} for (kind, code), change in sorted(self.things.items())
        ]
        tier = {"before": self.tier_before, "after": self.tier_after}
        return {"participant_id": self.participant_id, "points": self.points, "tier": tier, "things": things}


@dataclass
class Impact:
    """The sums over all participants. Only MOST participants are kept, those who differ most."""

    days: int
    participants: int = 0
    affected: int = 0
    acts: int = 0
    is_cut: bool = False
    points_before: int = 0
    points_after: int = 0
    gained: Counter[Thing] = field(default_factory=Counter)
    lost: Counter[Thing] = field(default_factory=Counter)
    tier_moves: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    most: list[Difference] = field(default_factory=list)

    def add(self, person: Person, before: Gained, after: Gained) -> None:
        """Add one participant."""
        self.participants += 1
        self.acts += len(person.acts)
        self.points_before += before.points
        self.points_after += after.points
        things = _differences(before, after)
        self.gained.update({thing: number for thing, number in things.items() if number > 0})
        self.lost.update({thing: -number for thing, number in things.items() if number < 0})
        if before.tier != after.tier:
            self.tier_moves[before.tier, after.tier] += 1
        name = person.row.external_id
        self._consider(Difference(name, after.points - before.points, things, before.tier, after.tier))

    def _consider(self, difference: Difference) -> None:
        if difference.weight == (0, 0):
            return
        self.affected += 1
        self.most = sorted([*self.most, difference], key=lambda each: each.weight, reverse=True)[:MOST]

    def to_json(self) -> dict[str, Any]:
        """Return the report of the command."""
        difference = self.points_after - self.points_before
        moves = sorted(self.tier_moves.items(), key=lambda move: -move[1])
        return {
            "days": self.days,
            "participants_looked_at": self.participants,
            "acts_looked_at": self.acts,
            "is_cut": self.is_cut,
            "participants_affected": self.affected,
            "points": {"before": self.points_before, "after": self.points_after, "difference": difference},
            **{plural: self._counts(kind) for kind, plural in KINDS.items()},
            "tier_moves": [{"before": old, "after": new, "participants": number} for (old, new), number in moves],
            "most_affected": [each.to_json() for each in self.most],
        }

    def _counts(self, kind: str) -> list[dict[str, Any]]:
        codes = sorted({code for found, code in [*self.gained, *self.lost] if found == kind})
        return [{"code": code, "gained": self.gained[kind, code], "lost": self.lost[kind, code]} for code in codes]


def _differences(before: Gained, after: Gained) -> Mapping[Thing, int]:
    things = before.things.keys() | after.things.keys()
    differences = {thing: after.things[thing] - before.things[thing] for thing in things}
    return {thing: number for thing, number in differences.items() if number}
