"""What a rule would have done: counted participant by participant, in bounded memory."""

from dataclasses import dataclass, replace
from heapq import heappush, heappushpop

MAX_SHARES = 20


@dataclass(frozen=True)
class Totals:
    """How often a rule matched, fired, and was stopped by a limit; the points it gave, and to how many participants."""

    matched: int = 0
    fired: int = 0
    limited: int = 0
    points: int = 0
    participants: int = 0

    def plus(self, other: "Totals") -> "Totals":
        """With those of one more participant."""
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
    """What one participant would gain, in points; below 0 for who would lose."""

    participant_id: str
    points: int


class Side:
    """Those who gain, or those who lose: how many, how much in all, and who most."""

    def __init__(self, *, sign: int) -> None:
        self.participants = 0
        self.points = 0
        self._sign = sign
        self._most: list[tuple[int, str]] = []

    def add(self, participant_id: str, points: int) -> None:
        """Count a participant whose points differ by `points`, if that is to this side."""
        amount = points * self._sign
        if amount <= 0:
            return
        self.participants += 1
        self.points += amount
        push = heappush if len(self._most) < MAX_SHARES else heappushpop
        push(self._most, (amount, participant_id))

    @property
    def largest(self) -> list[Share]:
        """The SHOWN who differ most, those first."""
        in_order = sorted(self._most, key=lambda each: (-each[0], each[1]))
        return [Share(participant_id, amount * self._sign) for amount, participant_id in in_order]
