"""Ranges store how many places lie between two bounds. So a rank is a few sums, and no query counts a whole board.

A range begins at its place `low` (inclusive) and ends where the next range of its level begins. The first range of a level
begins at WORST_PLACE. There are two levels:

- a leaf (level 0) holds up to MAX_LEAF places;
- a group (level 1) holds up to MAX_GROUP leaves. A group always begins where a leaf begins.

A range that grows too large is split, and a range that becomes small joins the one before it. So ranges fit every distribution
of scores. Many equal scores are no problem either, because their places differ.
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
    """A leaf or a group. `count` is the number of places in it, `stored_count` the number in the database.

    `id` is None until the range is stored.
    """

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
        """Whether a leaf has to be split, or has become so small that it may join another leaf."""
        return self.count > MAX_LEAF or self.stored_count > SMALL_LEAF // 2 >= self.count

    def add(self, number: int) -> None:
        self.count += number


@dataclass
class Ranges:
    """The ranges of one track in one period, and their changes since they were read.

    `leaves` and `groups` are in rising order.

    To count moves (`apply`), the leaves that contain the moved places are enough. To split and join leaves, all leaves of their
    groups must be present, and `end`, the exclusive upper bound of the last leaf (None for the top of the board): see `section`.
    `removed` collects the ranges that joined another one and have to be deleted.
    """

    leaves: list[Range]
    groups: list[Range]
    end: Place | None = None
    removed: list[Range] = field(default_factory=list)

    @classmethod
    def from_stored(cls, ranges: Iterable[Range]) -> "Ranges":
        """All stored ranges of a track in one period. If there are none, one leaf and one group that hold every place."""
        ordered = sorted(ranges, key=lambda each: each.low) or [
            Range(LEAF, WORST_PLACE, 0),
            Range(GROUP, WORST_PLACE, 0),
        ]
        return cls([each for each in ordered if each.level == LEAF], [each for each in ordered if each.level == GROUP])

    def __post_init__(self) -> None:
        self._leaf_lows = [each.low for each in self.leaves]
        self._group_lows = [each.low for each in self.groups]

    def apply(self, moves: Iterable[Move]) -> None:
        """Update the counts: each move takes a place out of its range and puts the new one into its range."""
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
        """Runs of consecutive groups in which leaves have to be split or joined, as pairs (index of the first, index of the last).

        The group before is included, because a small leaf or group may join the one before it.
        """
        found = {bisect_right(self._group_lows, leaf.low) - 1 for leaf in self.leaves if leaf.should_rearrange}
        wanted = sorted({max(0, each - 1) for each in found} | found)
        firsts = [each for each in wanted if each - 1 not in wanted]
        lasts = [each for each in wanted if each + 1 not in wanted]
        return list(zip(firsts, lasts, strict=True))

    def span(self, first: int, last: int) -> tuple[Place, Place | None]:
        """The lower bound of a run of groups and its exclusive upper bound, which is None at the top of the board."""
        return self.groups[first].low, self.groups[last + 1].low if last + 1 < len(self.groups) else None

    def section(self, first: int, last: int, leaves: Iterable[Range]) -> "Ranges":
        """A run of groups with all its leaves.

        `leaves` are the stored leaves of the run. A leaf that is already part of these ranges replaces its stored copy, because
        its count is newer.
        """
        low, end = self.span(first, last)
        here = {leaf.low: leaf for leaf in self.leaves if low <= leaf.low and (end is None or leaf.low < end)}
        whole = {leaf.low: leaf for leaf in leaves} | here
        return Ranges(sorted(whole.values(), key=attrgetter("low")), self.groups[first : last + 1], end)

    def oversized_leaves(self) -> Sequence[tuple[Place, Place | None]]:
        """Lower and exclusive upper bound of each leaf that has to be split. The upper bound is None at the top of the board."""
        return [(leaf.low, self._end(index)) for index, leaf in enumerate(self.leaves) if leaf.count > MAX_LEAF]

    def _end(self, index: int) -> Place | None:
        return self.leaves[index + 1].low if index + 1 < len(self.leaves) else self.end

    def split_leaf(self, low: Place, places: Sequence[Place]) -> None:
        """Split the leaf that begins at `low`. It keeps the first places, and the others become new leaves after it.

        `places` are all places of the leaf, in rising order.
        """
        index = bisect_right(self._leaf_lows, low) - 1
        starts = range(NEW_LEAF, len(places) - NEW_LEAF + 1, NEW_LEAF)
        ends = [*starts[1:], len(places)]
        new = [Range(LEAF, places[start], end - start) for start, end in zip(starts, ends, strict=True)]
        self.leaves[index].add(-sum(leaf.count for leaf in new))
        self.leaves[index + 1 : index + 1] = new
        self.__post_init__()

    def rearrange(self) -> None:
        """Join small leaves and small groups, and split groups with too many leaves."""
        self._join_leaves()
        self._arrange_groups()

    def _join_leaves(self) -> None:
        first_in_group, remaining = set(self._group_lows), self.leaves[:1]
        for leaf in self.leaves[1:]:
            before = remaining[-1]
            if leaf.low not in first_in_group and leaf.count + before.count <= SMALL_LEAF:
                before.add(leaf.count)
                self.removed.append(leaf)
            else:
                remaining.append(leaf)
        self.leaves = remaining

    def _arrange_groups(self) -> None:
        """Join a small group to the one before it, and split a large group at the beginning of a leaf."""
        arranged: list[tuple[Range, list[Range]]] = []
        for group, leaves in self._leaves_by_group():
            if arranged and len(arranged[-1][1]) + len(leaves) <= SMALL_GROUP:
                arranged[-1][0].add(group.count)
                arranged[-1][1].extend(leaves)
                self.removed.append(group)
            else:
                arranged.append((group, leaves))
        self.groups = [part for group, leaves in arranged for part in _split_group(group, leaves)]
        self.__post_init__()

    def _leaves_by_group(self) -> Iterable[tuple[Range, list[Range]]]:
        lows = [leaf.low for leaf in self.leaves]
        starts = [bisect_right(lows, group.low) - 1 for group in self.groups]
        for group, start, end in zip(self.groups, starts, [*starts[1:], len(self.leaves)], strict=True):
            yield group, self.leaves[start:end]


def should_look_up_leaves(groups: Iterable[Range], places: int) -> bool:
    """Whether to look up only the leaves that contain some places, instead of reading all leaves.

    `places` is the number of these places. The counts of `groups` show how many leaves there are.
    """
    return sum(group.count for group in groups) > 2 * places * NEW_LEAF


def _split_group(group: Range, leaves: Sequence[Range]) -> Iterable[Range]:
    yield group
    if len(leaves) <= MAX_GROUP:
        return
    starts = range(NEW_GROUP, len(leaves) - NEW_GROUP + 1, NEW_GROUP)
    for start, end in zip(starts, [*starts[1:], len(leaves)], strict=True):
        part = Range(GROUP, leaves[start].low, sum(leaf.count for leaf in leaves[start:end]))
        group.add(-part.count)
        yield part
