from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamify.tiers.engine import Basis, Ladder, Points, Tier, is_entry, next_tier, points_remaining, tier_after_award

pytestmark = pytest.mark.engine


def tier(code, level, min_points=None, **given):
    return Tier(UUID(int=level), code, code.title(), level, min_points, **given)


BRONZE, SILVER, GOLD, PLATINUM = (
    tier("bronze", 1, 0),
    tier("silver", 2, 500),
    tier("gold", 3, 1000),
    tier("plat", 4, 5000),
)
LADDER = Ladder.of([PLATINUM, BRONZE, GOLD, SILVER])


def award(current, before, after, *, is_manual=False, ladder=LADDER):
    before, after = (points if isinstance(points, Points) else Points(points, points) for points in (before, after))
    return tier_after_award(ladder, current, is_manual=is_manual, before=before, after=after)


@pytest.mark.parametrize(
    ("current", "before", "after", "expected"),
    [
        (None, 0, 1, BRONZE),
        (BRONZE, 0, 499, None),
        (BRONZE, 499, 500, SILVER),
        (BRONZE, 500, 501, SILVER),  # a threshold that was lowered, or defined, since the last award
        (SILVER, 500, 999, None),
        (BRONZE, 10, 1000, GOLD),
        (None, 0, 10_000, PLATINUM),
        (PLATINUM, 10, 20, None),
        (GOLD, 10, 600, None),  # most was spent: what was reached stays
    ],
)
def test_an_award_leads_to_the_highest_tier_whose_threshold_is_met(current, before, after, expected):
    assert award(current, before, after) == expected


@pytest.mark.parametrize(
    ("current", "before", "after", "expected"),
    [
        (BRONZE, 2000, 2001, None),  # given downwards: silver and gold were crossed before
        (BRONZE, 2000, 4999, None),
        (BRONZE, 2000, 5000, PLATINUM),
        (BRONZE, 499, 500, SILVER),
        (GOLD, 0, 999, None),  # given upwards: silver is not above it
        (GOLD, 0, 1000, None),
        (GOLD, 4999, 6000, PLATINUM),
    ],
)
def test_a_tier_assigned_by_hand_is_left_only_by_crossing_a_threshold(current, before, after, expected):
    assert award(current, before, after, is_manual=True) == expected


@pytest.mark.parametrize(
    "other",
    [
        tier("off", 9, 10, is_active=False),
        tier("honorary", 9, 10, is_automatic=False),
        tier("unfinished", 9),
    ],
)
def test_inactive_and_manual_tiers_are_not_reached_and_not_next(other):
    ladder = Ladder.of([BRONZE, other])

    assert award(BRONZE, 0, 100, ladder=ladder) is None
    assert next_tier(ladder, BRONZE) is None
    assert ladder.find(other.code) == other


def test_from_an_inactive_tier_a_participant_moves_up_from_its_level():
    ladder = Ladder.of([BRONZE, SILVER, replace(GOLD, is_active=False), PLATINUM])

    assert award(GOLD, 400, 700, ladder=ladder) is None
    assert next_tier(ladder, GOLD) == PLATINUM


def test_a_lifetime_threshold_counts_spent_points_too():
    veteran = tier("veteran", 3, 1000, basis=Basis.LIFETIME)
    ladder = Ladder.of([BRONZE, veteran])

    assert award(BRONZE, Points(10, 990), Points(20, 1000), ladder=ladder) == veteran
    assert award(BRONZE, Points(990, 990), Points(999, 999), ladder=ladder) is None
    assert points_remaining(veteran, Points(20, 400)) == 600


def test_tiers_of_one_level_are_ordered_by_threshold_then_code():
    twins = [tier("b", 2, 10), tier("a", 2, 10), tier("z", 2, 5)]

    assert award(None, 0, 10, ladder=Ladder.of(twins)).code == "b"
    assert next_tier(Ladder.of(twins), None).code == "z"
    assert award(twins[1], 0, 10, ladder=Ladder.of(twins)) is None


@pytest.mark.parametrize(
    ("entered", "current", "expected"), [(BRONZE, None, True), (SILVER, None, False), (BRONZE, SILVER, False)]
)
def test_only_the_tier_at_zero_entered_from_nowhere_is_the_entry(entered, current, expected):
    assert is_entry(entered, current=current) is expected


@pytest.mark.parametrize(
    ("current", "expected"), [(None, BRONZE), (BRONZE, SILVER), (GOLD, PLATINUM), (PLATINUM, None)]
)
def test_the_next_tier_is_the_lowest_above(current, expected):
    assert next_tier(LADDER, current) == expected


@pytest.mark.parametrize(("points", "expected"), [(0, 1000), (999, 1), (1000, 0), (5000, 0)])
def test_points_remaining_are_never_below_zero(points, expected):
    assert points_remaining(GOLD, Points(points, 10_000)) == expected


def test_without_tiers_nothing_is_reached():
    assert award(None, 0, 10, ladder=Ladder.of([])) is None
    assert next_tier(Ladder.of([]), None) is None


tiers = st.builds(
    tier,
    code=st.sampled_from("abcdefgh"),
    level=st.integers(0, 4),
    min_points=st.none() | st.integers(0, 12),
    basis=st.sampled_from(Basis),
    is_active=st.sampled_from([True, True, True, False]),
    is_automatic=st.sampled_from([True, True, True, False]),
)
steps = st.tuples(st.sampled_from(["award", "award", "deduct", "assign"]), st.integers(1, 8))


class Naive:
    """One participant, told point by point: slow, and hard to get wrong."""

    def __init__(self, ladder):
        self.ladder = ladder
        self.held = {Basis.BALANCE: 0, Basis.LIFETIME: 0}
        self.tier, self.is_manual = None, False

    def award(self, amount):
        already = [tier.code for tier in self.ladder if self._stands_beyond(tier)]
        for _ in range(amount):
            for basis in self.held:
                self.held[basis] += 1
        for tier in sorted(self.ladder, key=lambda tier: (tier.level, tier.min_points or 0, tier.code)):
            is_new = tier.code not in already or not self.is_manual_before
            if self._stands_beyond(tier) and is_new and self._is_higher_than_before(tier):
                self.tier, self.is_manual = tier, False

    def deduct(self, amount):
        self.held[Basis.BALANCE] = max(0, self.held[Basis.BALANCE] - amount)

    def assign(self, number):
        active = [tier for tier in self.ladder if tier.is_active]
        if active:
            self.tier, self.is_manual = active[number % len(active)], True

    def step(self, kind, number):
        self.before, self.is_manual_before = self.tier, self.is_manual
        getattr(self, kind)(number)

    def _stands_beyond(self, tier):
        if tier.min_points is None or not tier.is_active or not tier.is_automatic:
            return False
        return self.held[tier.basis] >= tier.min_points

    def _is_higher_than_before(self, tier):
        return self.before is None or tier.level > self.before.level


class Real:
    """The same by the engine."""

    def __init__(self, ladder):
        self.ladder, self.actives = Ladder.of(ladder), [tier for tier in ladder if tier.is_active]
        self.points, self.tier, self.is_manual = Points(), None, False

    def award(self, amount):
        before, self.points = self.points, Points(self.points.balance + amount, self.points.lifetime + amount)
        found = tier_after_award(self.ladder, self.tier, is_manual=self.is_manual, before=before, after=self.points)
        if found:
            self.tier, self.is_manual = found, False

    def deduct(self, amount):
        self.points = replace(self.points, balance=max(0, self.points.balance - amount))

    def assign(self, number):
        if self.actives:
            self.tier, self.is_manual = self.actives[number % len(self.actives)], True


@given(st.lists(tiers, max_size=6, unique_by=lambda tier: tier.code), st.lists(steps, max_size=25))
def test_the_engine_agrees_with_the_naive_interpreter(ladder, steps):
    naive, real = Naive(ladder), Real(ladder)

    for kind, number in steps:
        level = -1 if real.tier is None else real.tier.level
        naive.step(kind, number)
        getattr(real, kind)(number)

        assert (real.tier, real.is_manual) == (naive.tier, naive.is_manual)
        assert kind == "assign" or real.tier is None or real.tier.level >= level


@given(st.lists(tiers, max_size=6, unique_by=lambda tier: tier.code), st.integers(-1, 4), st.integers(0, 20))
def test_the_next_tier_is_the_lowest_above_the_current_one(ladder, level, balance):
    current = None if level < 0 else tier("current", level)
    coming = next_tier(Ladder.of(ladder), current)
    higher = [step.level for step in ladder if step.is_reachable and step.level > level]

    assert (coming.level if coming else None) == min(higher, default=None)
    assert coming is None or points_remaining(coming, Points(balance, balance)) == max(0, coming.min_points - balance)
