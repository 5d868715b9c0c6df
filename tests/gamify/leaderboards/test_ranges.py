"""Ranges of places: how counts follow moves, and how leaves and groups are split and joined. No database."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamify.leaderboards.engine.ranking import ranges as ranges_module
from gamify.leaderboards.engine.ranking.places import WORST_PLACE, Move
from gamify.leaderboards.engine.ranking.ranges import (
    GROUP,
    LEAF,
    MAX_GROUP,
    MAX_LEAF,
    NEW_LEAF,
    Range,
    Ranges,
    should_look_up_leaves,
)

pytestmark = pytest.mark.engine


def place(score, number=0):
    return score, -number, UUID(int=number)


def arrivals(places):
    return [Move(None, each) for each in places]


def departures(places):
    return [Move(each, None) for each in places]


def counts(ranges):
    return [leaf.count for leaf in ranges.leaves], [group.count for group in ranges.groups]


def within(places, low, end):
    return [each for each in places if low <= each and (end is None or each < end)]


def settled(ranges, places):
    """The ranges after oversized leaves were split and small ones joined. `places` are all places of the board."""
    for low, end in list(ranges.oversized_leaves()):
        ranges.split_leaf(low, within(places, low, end))
    ranges.rearrange()
    return ranges


def board_of(leaf_lows, group_lows):
    """Empty ranges that begin at these scores. The first leaf and the first group begin at WORST_PLACE."""
    leaves = [Range(LEAF, WORST_PLACE, 0), *(Range(LEAF, place(score), 0) for score in leaf_lows)]
    groups = [Range(GROUP, WORST_PLACE, 0), *(Range(GROUP, place(score), 0) for score in group_lows)]
    return Ranges(leaves, groups)


def test_an_empty_board_has_one_leaf_and_one_group_for_all_places():
    ranges = Ranges.from_stored([])

    ranges.apply(arrivals([place(5), place(10**18)]))

    assert [each.low for each in (*ranges.leaves, *ranges.groups)] == [WORST_PLACE, WORST_PLACE]
    assert counts(ranges) == ([2], [2])


def test_a_place_at_the_lower_bound_of_a_leaf_belongs_to_this_leaf():
    ranges = board_of([10], [])

    ranges.apply(arrivals([place(9), place(10), place(11)]))

    assert counts(ranges) == ([1, 2], [3])


def test_a_move_takes_a_place_out_of_one_leaf_and_puts_it_into_another():
    ranges = board_of([10, 20], [20])
    ranges.apply(arrivals([place(5, 1), place(15, 2)]))

    ranges.apply([Move(place(5, 1), place(25, 1))])

    assert counts(ranges) == ([0, 1, 1], [1, 1])


def test_a_move_inside_one_leaf_changes_no_count():
    ranges = Ranges.from_stored(
        [Range.from_row(LEAF, WORST_PLACE, 2, UUID(int=1)), Range.from_row(GROUP, WORST_PLACE, 2, UUID(int=2))]
    )

    ranges.apply([Move(place(5), place(6))])

    assert not any(each.is_changed for each in (*ranges.leaves, *ranges.groups))


def test_a_leaf_is_split_only_when_it_holds_more_than_the_maximum():
    full = [place(score) for score in range(MAX_LEAF)]
    ranges = Ranges.from_stored([])
    ranges.apply(arrivals(full))
    assert ranges.oversized_leaves() == []

    ranges.apply(arrivals([place(MAX_LEAF)]))

    assert ranges.oversized_leaves() == [(WORST_PLACE, None)]
    assert counts(settled(ranges, [*full, place(MAX_LEAF)])) == ([NEW_LEAF, MAX_LEAF + 1 - NEW_LEAF], [MAX_LEAF + 1])


def test_equal_scores_do_not_make_a_leaf_too_large():
    same = sorted(place(7, number) for number in range(5 * MAX_LEAF))
    ranges = Ranges.from_stored([])
    ranges.apply(arrivals(same))

    settled(ranges, same)

    assert max(leaf.count for leaf in ranges.leaves) <= MAX_LEAF
    assert {leaf.low[0] for leaf in ranges.leaves[1:]} == {7}


def test_a_leaf_that_becomes_small_joins_the_one_before_it():
    ranges = board_of([10, 20], [])
    ranges.apply(arrivals([*(place(5, number) for number in range(200)), place(15), place(25)]))
    last = ranges.leaves[2]

    ranges.rearrange()

    assert counts(ranges) == ([200, 2], [202])
    assert ranges.removed == [last]


def test_a_leaf_at_the_beginning_of_a_group_does_not_join_the_group_before(monkeypatch):
    monkeypatch.setattr(ranges_module, "SMALL_GROUP", 0)  # so that the groups themselves are not joined
    ranges = board_of([10, 20], [10])
    ranges.apply(arrivals([place(5), place(15), place(25)]))

    ranges.rearrange()

    assert counts(ranges) == ([1, 2], [1, 2])


def test_small_groups_are_joined_with_their_counts():
    ranges = board_of([10], [10])
    ranges.apply(
        arrivals([*(place(5, number) for number in range(100)), *(place(15, number) for number in range(100))])
    )

    ranges.rearrange()

    assert counts(ranges) == ([100, 100], [200])


def test_a_group_with_too_many_leaves_is_split_where_a_leaf_begins():
    everybody = [place(score) for score in range(NEW_LEAF * (MAX_GROUP + 2))]
    ranges = Ranges.from_stored([])
    ranges.apply(arrivals(everybody))

    settled(ranges, everybody)

    assert len(ranges.groups) == 2
    assert {group.low for group in ranges.groups} <= {leaf.low for leaf in ranges.leaves}
    assert sum(group.count for group in ranges.groups) == len(everybody)


def test_a_board_that_everybody_leaves_shrinks_to_one_leaf_and_one_group():
    everybody = [place(score) for score in range(20 * MAX_LEAF)]
    ranges = Ranges.from_stored([])
    ranges.apply(arrivals(everybody))
    settled(ranges, everybody)
    assert len(ranges.leaves) > 1

    ranges.apply(departures(everybody))
    ranges.rearrange()

    assert counts(ranges) == ([0], [0])


def test_groups_to_rearrange_include_the_group_before_in_one_run():
    """A small leaf or group may join the one before it."""
    ranges = board_of([10, 20, 30], [10, 20, 30])
    ranges.apply(arrivals([place(35, number) for number in range(MAX_LEAF + 1)]))

    assert ranges.groups_to_rearrange() == [(2, 3)]
    assert ranges.span(2, 3) == (place(20), None)


def test_leaves_are_looked_up_one_by_one_only_on_a_large_board():
    assert not should_look_up_leaves([Range(GROUP, WORST_PLACE, 10_000)], places=100)
    assert should_look_up_leaves([Range(GROUP, WORST_PLACE, 1_000_000)], places=100)


scores = st.lists(st.one_of(st.integers(0, 3), st.integers(0, 10**9)), min_size=1, max_size=40)


@settings(deadline=None, max_examples=20)
@given(batches=st.lists(scores, min_size=1, max_size=6), every=st.integers(1, 7))
def test_ranges_count_every_place_after_any_arrivals_and_departures(batches, every):
    ranges, held, number = Ranges.from_stored([]), [], 0
    for batch in batches:
        places = [(score, -index, UUID(int=number + index)) for index, score in enumerate(batch * 60)]
        number += len(places)
        gone = held[::every]
        held = sorted({*held, *places} - {*gone})
        ranges.apply([*(Move(None, place) for place in places), *(Move(place, None) for place in gone)])
        for low, end in list(ranges.oversized_leaves()):
            ranges.split_leaf(low, [place for place in held if low <= place and (end is None or place < end)])
        ranges.rearrange()
        ranges = Ranges.from_stored([*ranges.leaves, *ranges.groups])

        _check(ranges, held)
        assert len(ranges.groups) == 1 or len(ranges.leaves) > MAX_GROUP // 4


@settings(deadline=None, max_examples=20)
@given(batches=st.lists(scores, min_size=1, max_size=6), every=st.integers(1, 7))
def test_the_leaves_that_contain_the_moved_places_are_enough(batches, every):
    """To split or join leaves, all leaves of their group and of the group before are read too."""
    leaves, groups, held, number = [Range(LEAF, WORST_PLACE, 0)], [Range(GROUP, WORST_PLACE, 0)], [], 0
    for batch in batches:
        places = [(score, -index, UUID(int=number + index)) for index, score in enumerate(batch * 60)]
        number += len(places)
        gone = held[::every]
        held = sorted({*held, *places} - {*gone})
        lows = {max(leaf.low for leaf in leaves if leaf.low <= place) for place in [*places, *gone]}
        ranges = Ranges([leaf for leaf in leaves if leaf.low in lows], groups)
        ranges.apply([*(Move(None, place) for place in places), *(Move(place, None) for place in gone)])
        for run in ranges.groups_to_rearrange():
            low, end = ranges.span(*run)
            within = [leaf for leaf in leaves if low <= leaf.low and (end is None or leaf.low < end)]
            part = ranges.section(*run, within)
            for start, stop in list(part.oversized_leaves()):
                part.split_leaf(start, [place for place in held if start <= place and (stop is None or place < stop)])
            part.rearrange()
            leaves = sorted([*(leaf for leaf in leaves if leaf not in within), *part.leaves], key=lambda each: each.low)
            groups = sorted({*groups, *part.groups} - {*part.removed}, key=lambda each: each.low)
        stored = Ranges.from_stored([replace(each, stored_count=each.count) for each in (*leaves, *groups)])
        leaves, groups = stored.leaves, stored.groups

        _check(stored, held)


def _check(ranges: Ranges, held: list) -> None:
    for level, found in ((LEAF, ranges.leaves), (GROUP, ranges.groups)):
        ends = [*(each.low for each in found[1:]), None]
        for each, end in zip(found, ends, strict=True):
            assert each.count == sum(each.low <= place and (end is None or place < end) for place in held), level
    assert max(leaf.count for leaf in ranges.leaves) <= MAX_LEAF
    assert {group.low for group in ranges.groups} <= {leaf.low for leaf in ranges.leaves}
    assert max(map(len, _leaves_by_group(ranges))) <= MAX_GROUP


def _leaves_by_group(ranges: Ranges) -> list[list]:
    ends = [*(each.low for each in ranges.groups[1:]), None]
    return [
        [leaf for leaf in ranges.leaves if group.low <= leaf.low and (end is None or leaf.low < end)]
        for group, end in zip(ranges.groups, ends, strict=True)
    ]
