"""Scores while changes are worked in, in memory: what each participant had, and what they come to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from gamify.leaderboards.engine.ranking.places import Move, Moves, Place

Slot = tuple[UUID, int]
"""A track, and the code of a period on it."""


@dataclass(eq=False)
class ScoreDraft:
    """One participant's score in a slot. `stored` is what is written of it, None for nothing; `before` the place that is shown."""

    participant_id: UUID
    score: int = 0
    earliness: int = 0
    is_shown: bool = False
    is_removed: bool = False
    stored: tuple[int, int, bool] | None = None

    @classmethod
    def from_row(cls, participant_id: UUID, score: int, early: int, is_shown: bool) -> "ScoreDraft":  # noqa: FBT001 - a row
        return cls(participant_id, score, early, is_shown, stored=(score, early, is_shown))

    @property
    def place_before(self) -> Place | None:
        return (*self.stored[:2], self.participant_id) if self.stored and self.stored[2] else None

    @property
    def is_changed(self) -> bool:
        """Whether there is something to write. A line with nothing on it is not begun."""
        if self.stored is None:
            return not (self.is_removed or self.is_empty)
        return self.is_removed or self.stored != (self.score, self.earliness, self.place_after is not None)

    def add(self, amount: int, early: int) -> None:
        """What counts once more; the score is as old as the latest thing that counted, whatever came in last."""
        self.earliness = early if self.is_empty else min(self.earliness, early)
        self.score += amount

    def set(self, score: int, early: int) -> None:
        self.score, self.earliness, self.is_removed = score, early, False

    @property
    def is_empty(self) -> bool:
        return self.score == 0 and self.earliness == 0

    @property
    def place_after(self) -> Place | None:
        """Who has come to nothing has no place."""
        if self.is_removed or not self.is_shown or self.score <= 0:
            return None
        return self.score, self.earliness, self.participant_id


class ScoreDrafts:
    """The lines of a fold, by slot and participant. Those that are not there yet are made when they are asked for."""

    def __init__(self) -> None:
        self._lines: defaultdict[Slot, dict[UUID, ScoreDraft]] = defaultdict(dict)

    def put(self, slot: Slot, line: ScoreDraft) -> None:
        self._lines[slot][line.participant_id] = line

    def find(self, slot: Slot, participant_id: UUID) -> ScoreDraft | None:
        return self._lines[slot].get(participant_id)

    def get_or_create(self, slot: Slot, participant_id: UUID) -> ScoreDraft:
        return self._lines[slot].setdefault(participant_id, ScoreDraft(participant_id))

    def of_participants(self, participant_ids: Iterable[UUID]) -> Iterator[tuple[Slot, ScoreDraft]]:
        """Every line of these participants."""
        wanted = list(participant_ids)
        for slot, lines in self._lines.items():
            yield from ((slot, lines[who]) for who in wanted if who in lines)

    def __iter__(self) -> Iterator[tuple[Slot, ScoreDraft]]:
        return ((slot, line) for slot, lines in self._lines.items() for line in lines.values())

    def moves(self) -> Mapping[Slot, Moves]:
        """Who came to stand elsewhere, in every slot in which somebody did."""
        found: defaultdict[Slot, dict[UUID, Move]] = defaultdict(dict)
        for slot, line in self:
            if line.place_before != line.place_after:
                found[slot][line.participant_id] = Move(line.place_before, line.place_after)
        return found
