"""What a rule would have given, added up participant by participant in bounded memory."""

from dataclasses import dataclass, replace
from heapq import heappush, heappushpop

MAX_SHARES = 20


@dataclass(frozen=True)
class Totals:
    """How often a rule matched, fired, and was stopped by a limit; how many points it gave, and to how many participants."""

    matched: int = 0
    fired: int = 0
    limited: int = 0
    points: int = 0
    participants: int = 0

    def plus(self, other: "Totals") -> "Totals":
        """Return the totals with those of one more participant."""
        return replace(
            self,
            matched=self.matched + other.matched,
            fired=self.fired + other.fired,
            limited=self.limited + other.limited,
            points=self.points + other.points,
            participants=self.participants + (other.fired > 0),
        )


@dataclass(frozen=True)
class Share:
    """What one participant would gain, in points; negative for a loss."""

    participant_id: str
    points: int


class Side:
    """The participants who gain (`sign=1`) or lose (`sign=-1`): how many, how much in total, and the MAX_SHARES largest differences."""

    def __init__(self, *, sign: int) -> None:
        self.participants = 0
        self.points = 0
        self._sign = sign
        self._largest: list[tuple[int, str]] = []

    def add(self, participant_id: str, points: int) -> None:
        """Count a participant whose points differ by `points`, if the difference belongs to this side."""
        amount = points * self._sign
        if amount <= 0:
            return
        self.participants += 1
        self.points += amount
        push = heappush if len(self._largest) < MAX_SHARES else heappushpop
        push(self._largest, (amount, participant_id))

    @property
    def largest(self) -> list[Share]:
        """The largest differences, the largest first."""
        in_order = sorted(self._largest, key=lambda each: (-each[0], each[1]))
        return [Share(participant_id, amount * self._sign) for amount, participant_id in in_order]
