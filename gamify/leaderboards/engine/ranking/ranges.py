"""Counts of places by ranges of them, so that a rank is a few sums and never a count of the board.

A range begins at its `low` place and ends where the next one of its level begins; the first begins at WORST. Ranges of level 0 (leaves) hold
up to MAX_LEAF places, those of level 1 (groups) up to MAX_GROUP leaves. A range that has grown too large is split, one that has become
small joins the one before it: so they follow the scores wherever these are, ties included, since places tell those apart, too.
A group always begins where a leaf begins.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from uuid import UUID

from gamify.leaderboards.engine.ranking.places import WORST_PLACE, Move, Place

LEAF, GROUP = 0, 1
MAX_LEAF = 512
NEW_LEAF = MAX_LEAF // 2
SMALL_LEAF = MAX_LEAF // 4
MAX_GROUP = 128
NEW_GROUP = MAX_GROUP // 2
SMALL_GROUP = MAX_GROUP // 4


@dataclass(eq=False)
class Range:
    """`id` is None until it is stored, and `stored` what is written as its count."""

    level: int
    low: Place
    count: int
    id: UUID | None = None
    stored_count: int = 0

    @classmethod
    def from_row(cls, level: int, low: Place, count: int, pk: UUID) -> "Range":
        return cls(level, low, count, pk, count)

    @property
    def is_changed(self) -> bool:
        return self.count != self.stored_count

    @property
    def should_rearrange(self) -> bool:
        """Whether it is a leaf that has to be split, or that has come to hold so few that it may be joined to another."""
        return self.count > MAX_LEAF or self.stored_count > SMALL_LEAF // 2 >= self.count

    def add(self, number: int) -> None:
        self.count += number


@dataclass
class Ranges:
    """Ranges of one board in one period, and what has become of them since they were read.

    The leaves may be those only that hold the places to be counted; to be split and joined, leaves have to be there with all others of
    their groups, and with `end`, where the last of them ends (`part`).
    """

    leaves: list[Range]
    groups: list[Range]
    end: Place | None = None
    removed: list[Range] = field(default_factory=list)

    @classmethod
    def from_stored(cls, ranges: Iterable[Range]) -> "Ranges":
        """Of a board without any, the two that hold everybody."""
        ordered = sorted(ranges, key=lambda each: each.low) or [
            Range(LEAF, WORST_PLACE, 0),
            Range(GROUP, WORST_PLACE, 0),
        ]
        return cls([each for each in ordered if each.level == LEAF], [each for each in ordered if each.level == GROUP])

    def __post_init__(self) -> None:
        self._leaf_lows = [each.low for each in self.leaves]
        self._group_lows = [each.low for each in self.groups]

    def apply(self, moves: Iterable[Move]) -> None:
        """Count those who came, and no longer those who went."""
        leaves: Counter[int] = Counter()
        groups: Counter[int] = Counter()
        for move in moves:
            for place, number in ((move.before, -1), (move.after, 1)):
                if place is not None:
                    leaves[bisect_right(self._leaf_lows, place) - 1] += number
                    groups[bisect_right(self._group_lows, place) - 1] += number
        for index, number in leaves.items():
            self.leaves[index].add(number)
        for index, number in groups.items():
            self.groups[index].add(number)

    def groups_to_rearrange(self) -> Sequence[tuple[int, int]]:
        """Runs of groups (the first, the last) in which leaves are to be split or joined, with the one before, which they may join."""
        found = {bisect_right(self._group_lows, leaf.low) - 1 for leaf in self.leaves if leaf.should_rearrange}
        wanted = sorted({max(0, each - 1) for each in found} | found)
        firsts = [each for each in wanted if each - 1 not in wanted]
        lasts = [each for each in wanted if each + 1 not in wanted]
        return list(zip(firsts, lasts, strict=True))

    def span(self, first: int, last: int) -> tuple[Place, Place | None]:
        """Where a run of groups begins, and where it ends, None for the board's top."""
        return self.groups[first].low, self.groups[last + 1].low if last + 1 < len(self.groups) else None

    def section(self, first: int, last: int, leaves: Iterable[Range]) -> "Ranges":
        """A run of groups with all its leaves; of `leaves`, as they are stored, those that are here already are taken from here."""
        low, end = self.span(first, last)
        here = {leaf.low: leaf for leaf in self.leaves if low <= leaf.low and (end is None or leaf.low < end)}
        whole = {leaf.low: leaf for leaf in leaves} | here
        return Ranges(sorted(whole.values(), key=attrgetter("low")), self.groups[first : last + 1], end)

    def oversized_leaves(self) -> Sequence[tuple[Place, Place | None]]:
        """The leaves to be split: where each begins and where it ends, None for the last."""
        return [(leaf.low, self._end(index)) for index, leaf in enumerate(self.leaves) if leaf.count > MAX_LEAF]

    def _end(self, index: int) -> Place | None:
        return self.leaves[index + 1].low if index + 1 < len(self.leaves) else self.end

    def split(self, low: Place, places: Sequence[Place]) -> None:
        """Let the leaf at `low` keep the first of `places`, which are all of its own in rising order, and make leaves of the others."""
        index = bisect_right(self._leaf_lows, low) - 1
        starts = range(NEW_LEAF, len(places) - NEW_LEAF + 1, NEW_LEAF)
        ends = [*starts[1:], len(places)]
        new = [Range(LEAF, places[start], end - start) for start, end in zip(starts, ends, strict=True)]
        self.leaves[index].add(-sum(leaf.count for leaf in new))
        self.leaves[index + 1 : index + 1] = new
        self.__post_init__()

    def rearrange(self) -> None:
        """Join what has become small, and split the groups that have come to hold too many."""
        self._join_leaves()
        self._arrange_groups()

    def _join_leaves(self) -> None:
        protected, kept = set(self._group_lows), self.leaves[:1]
        for leaf in self.leaves[1:]:
            before = kept[-1]
            if leaf.low not in protected and leaf.count + before.count <= SMALL_LEAF:
                before.add(leaf.count)
                self.removed.append(leaf)
            else:
                kept.append(leaf)
        self.leaves = kept

    def _arrange_groups(self) -> None:
        """A group that is small joins the one before it; a large one is split where leaves begin."""
        arranged: list[tuple[Range, list[Range]]] = []
        for group, leaves in self._grouped():
            if arranged and len(arranged[-1][1]) + len(leaves) <= SMALL_GROUP:
                arranged[-1][0].add(group.count)
                arranged[-1][1].extend(leaves)
                self.removed.append(group)
            else:
                arranged.append((group, leaves))
        self.groups = [part for group, leaves in arranged for part in _parts(group, leaves)]
        self.__post_init__()

    def _grouped(self) -> Iterable[tuple[Range, list[Range]]]:
        lows = [leaf.low for leaf in self.leaves]
        starts = [bisect_right(lows, group.low) - 1 for group in self.groups]
        for group, start, end in zip(self.groups, starts, [*starts[1:], len(self.leaves)], strict=True):
            yield group, self.leaves[start:end]


def should_look_up_leaves(groups: Iterable[Range], places: int) -> bool:
    """Whether there are so many leaves, as groups tell, that those of a number of places are better looked up than all read."""
    return sum(group.count for group in groups) > 2 * places * NEW_LEAF


def _parts(group: Range, leaves: Sequence[Range]) -> Iterable[Range]:
    yield group
    if len(leaves) <= MAX_GROUP:
        return
    starts = range(NEW_GROUP, len(leaves) - NEW_GROUP + 1, NEW_GROUP)
    for start, end in zip(starts, [*starts[1:], len(leaves)], strict=True):
        part = Range(GROUP, leaves[start].low, sum(leaf.count for leaf in leaves[start:end]))
        group.add(-part.count)
        yield part
