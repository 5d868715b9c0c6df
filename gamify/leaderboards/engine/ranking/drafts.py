"""Drafts: scores in memory while a fold changes them. Nothing here reads or writes the database."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from gamify.leaderboards.engine.ranking.places import Move, Moves, Place

Slot = tuple[UUID, int]
"""The id of a track and the code of a period: one list of scores."""


@dataclass(eq=False)
class ScoreDraft:
    """One participant's score on one track in one period (a `Slot`), in memory.

    `stored` has the values of the stored row (score, earliness, is_shown), or None if there is no row.
    """

    participant_id: UUID
    score: int = 0
    earliness: int = 0
    is_shown: bool = False
    is_removed: bool = False
    stored: tuple[int, int, bool] | None = None

    @classmethod
    def from_row(cls, participant_id: UUID, score: int, early: int, is_shown: bool) -> "ScoreDraft":  # noqa: FBT001 - columns of a row
        """The draft of a stored row, unchanged."""
        return cls(participant_id, score, early, is_shown, stored=(score, early, is_shown))

    @property
    def place_before(self) -> Place | None:
        """The place of the stored row, or None if it is not on the board."""
        return (*self.stored[:2], self.participant_id) if self.stored and self.stored[2] else None

    @property
    def place_after(self) -> Place | None:
        """The place with the draft's score. None if the draft is removed or hidden, or if its score is not positive."""
        if self.is_removed or not self.is_shown or self.score <= 0:
            return None
        return self.score, self.earliness, self.participant_id

    @property
    def is_changed(self) -> bool:
        """Whether the draft has to be written. An empty draft without a stored row is not."""
        if self.stored is None:
            return not (self.is_removed or self.is_empty)
        return self.is_removed or self.stored != (self.score, self.earliness, self.place_after is not None)

    @property
    def is_empty(self) -> bool:
        return self.score == 0 and self.earliness == 0

    def add(self, amount: int, early: int) -> None:
        """Add an amount that counts at the instant `early` (see `places.earliness`).

        The score was reached at the latest instant of all its amounts, in whatever order they are added.
        """
        self.earliness = early if self.is_empty else min(self.earliness, early)
        self.score += amount

    def set(self, score: int, early: int) -> None:
        """Replace the score."""
        self.score, self.earliness, self.is_removed = score, early, False


class ScoreDrafts:
    """All drafts of a fold, by slot (track and period) and participant."""

    def __init__(self) -> None:
        self._drafts: defaultdict[Slot, dict[UUID, ScoreDraft]] = defaultdict(dict)

    def put(self, slot: Slot, draft: ScoreDraft) -> None:
        self._drafts[slot][draft.participant_id] = draft

    def find(self, slot: Slot, participant_id: UUID) -> ScoreDraft | None:
        return self._drafts[slot].get(participant_id)

    def get_or_create(self, slot: Slot, participant_id: UUID) -> ScoreDraft:
        return self._drafts[slot].setdefault(participant_id, ScoreDraft(participant_id))

    def get_or_put(self, slot: Slot, draft: ScoreDraft) -> ScoreDraft:
        """The draft of this participant in the slot. If there is none, `draft` becomes it."""
        return self._drafts[slot].setdefault(draft.participant_id, draft)

    def of_participants(self, participant_ids: Iterable[UUID]) -> Iterator[tuple[Slot, ScoreDraft]]:
        """The drafts of these participants on all tracks and in all periods."""
        ids = list(participant_ids)
        for slot, drafts in self._drafts.items():
            yield from ((slot, drafts[participant_id]) for participant_id in ids if participant_id in drafts)

    def __iter__(self) -> Iterator[tuple[Slot, ScoreDraft]]:
        return ((slot, draft) for slot, drafts in self._drafts.items() for draft in drafts.values())

    def moves(self) -> Mapping[Slot, Moves]:
        """The moves of all participants whose place differs from the stored one. Slots without a move are left out."""
        found: defaultdict[Slot, dict[UUID, Move]] = defaultdict(dict)
        for slot, draft in self:
            if draft.place_before != draft.place_after:
                found[slot][draft.participant_id] = Move(draft.place_before, draft.place_after)
        return found
