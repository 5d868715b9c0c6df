"""What a board measures: a sum that grows by what happens, or a level that some domain keeps (contract §9).

Boards that measure the same thing share a measure, known by its `key`: what happened is noted once for all of them. Sums are
whole numbers of a unit; the sum of a property has a millionth for its unit, so that it is exact to six decimals.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from gamify.facts.engine.conditions import EXACT, amount_of
from gamify.facts.engine.expressions import CompiledExpression, compile_filter
from gamify.facts.engine.fields import MISSING, ReadField, compile_path
from participants.engine import exact_number

POINTS_EARNED, POINTS_BALANCE, BADGES_COUNT = "points_earned", "points_balance", "badges_count"
EVENT_COUNT, EVENT_SUM = "event_count", "event_sum"
STREAK_CURRENT, STREAK_LONGEST = "streak_current", "streak_longest"
METRICS = (POINTS_EARNED, POINTS_BALANCE, EVENT_COUNT, EVENT_SUM, STREAK_CURRENT, STREAK_LONGEST, BADGES_COUNT)

BY_EVENTS = (EVENT_COUNT, EVENT_SUM)
OF_STREAKS = (STREAK_CURRENT, STREAK_LONGEST)
LEVELS = (POINTS_BALANCE, *OF_STREAKS)
"""Not sums of what happened in a period: they have the board of all time only."""

ANY_EVENT = "*"
DOMAIN = "leaderboards"
"""The name under which an event keeps which measures refused it."""

PERSON = "person"
"""Stands among measures for the participant: who they are may have changed."""

DECIMALS = 6
MILLIONTHS = 10**DECIMALS
MAX_AMOUNT = 10**15 * MILLIONTHS
"""The most that one event may add to a sum, in millionths. A board refuses a larger amount."""

LARGE_AMOUNT = 10**9 * MILLIONTHS
LARGE_SUM = 10**17 * MILLIONTHS
"""From these on, the sum of a participant is watched, so that it does not exceed MAX_SUM."""

MAX_SUM = 10**18 * MILLIONTHS
"""The most that the events of one participant may add up to, in millionths. A board refuses an amount that would exceed it."""


@dataclass(frozen=True)
class Measure:
    """`only` and `read` are compiled from the selector: which events count, and what of them."""

    metric: str
    key: str
    selector: Mapping[str, Any]
    event_filter: CompiledExpression | None = None
    read_field: ReadField | None = None

    @property
    def is_level(self) -> bool:
        return self.metric in LEVELS

    @property
    def is_property_sum(self) -> bool:
        """Whether it adds up a property of events, which has limits."""
        return self.metric == EVENT_SUM

    @property
    def counts_events(self) -> bool:
        return self.metric in BY_EVENTS

    @property
    def event_name(self) -> str:
        return str(self.selector.get("event_name") or ANY_EVENT)

    def amount(self, properties: Mapping[str, Any]) -> int:
        """How much an event of its name adds, in units: 0 if the event does not count or if the amount is too large."""
        amount = self.unlimited_amount(properties)
        return amount if amount <= MAX_AMOUNT else 0

    def unlimited_amount(self, properties: Mapping[str, Any]) -> int:
        """How much the event would add, in units, if amounts had no limit: one, or the number in the field."""
        if self.event_filter is not None and not self.event_filter.matches(properties, {}):
            return 0
        if self.read_field is None:
            return 1
        value = self.read_field(properties, {})
        return 0 if value is MISSING else int(amount_of(value).scaleb(DECIMALS, EXACT))

    def display_score(self, score: int) -> int | float | Decimal:
        """A score as clients see it."""
        return exact_number(Decimal(score).scaleb(-DECIMALS, EXACT)) if self.is_property_sum else score


def compile_measure(metric: str, selector: Mapping[str, Any]) -> Measure:
    """Compile what a definition says, which was judged when it was saved."""
    only, field = selector.get("filter"), selector.get("field")
    return Measure(
        metric=metric,
        key=_key(metric, selector),
        selector=selector,
        event_filter=compile_filter(only) if only else None,
        read_field=compile_path(field) if metric == EVENT_SUM and field else None,
    )


def _key(metric: str, selector: Mapping[str, Any]) -> str:
    if metric in OF_STREAKS:
        return streak_key(selector["streak_code"])
    if metric not in BY_EVENTS:
        return metric
    said = json.dumps({name: value for name, value in selector.items() if value}, sort_keys=True)
    return f"{metric}:{sha256(said.encode()).hexdigest()[:16]}"


def streak_key(code: str) -> str:
    """One for both numbers of a streak, which change together."""
    return f"streak:{code}"
