"""What a leaderboard measures (docs/contract.md §9).

Boards that measure the same thing share a measure, identified by its `key`, so that a change is noted once for all of them.
Scores are integers. The sum of a property is stored in millionths, so that it is exact to six decimals.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from gamify.facts.engine.conditions import EXACT
from gamify.facts.engine.metrics import ALL_EVENTS, EventCounter, MetricKind, compile_counter
from participants.engine import exact_number

DOMAIN = "leaderboards"
"""The name under which an event stores, in its undo notes, which measures refused it."""

PERSON = "person"
"""A key in `ScoreChange.changes` that is not a measure. It says that the participant's attributes or visibility may have changed."""

DECIMALS = 6
MILLIONTHS = 10**DECIMALS
MAX_AMOUNT = 10**15 * MILLIONTHS
"""The most that one event may add to a sum, in millionths. A board refuses a larger amount."""

LARGE_AMOUNT = 10**9 * MILLIONTHS
LARGE_SUM = 10**17 * MILLIONTHS
"""If one amount or the whole sum of a participant is larger than this, the sum is stored and compared with MAX_SUM."""

MAX_SUM = 10**18 * MILLIONTHS
"""The most that the events of one participant may add up to, in millionths. A board refuses an amount that would exceed it."""


@dataclass(frozen=True)
class Measure:
    """A metric with its selector. `counter` is used only if `counts_events`."""

    metric: str
    kind: MetricKind
    key: str
    selector: Mapping[str, Any]
    counter: EventCounter = ALL_EVENTS

    @property
    def is_level(self) -> bool:
        return self.kind is MetricKind.LEVEL

    @property
    def is_property_sum(self) -> bool:
        """Whether it adds up a property of events, in millionths and with limits."""
        return self.kind is MetricKind.EVENT_SUM

    @property
    def counts_events(self) -> bool:
        return self.kind.counts_events

    @property
    def event_name(self) -> str:
        return self.counter.event_name

    def amount(self, properties: Mapping[str, Any]) -> int:
        """How much an event of the right name adds to the score: 0 if it does not match or if its amount is too large."""
        amount = self.unlimited_amount(properties)
        return amount if amount <= MAX_AMOUNT else 0

    def unlimited_amount(self, properties: Mapping[str, Any]) -> int:
        """How much the event would add to the score if amounts had no limit."""
        if not self.counter.matches(properties):
            return 0
        amount = self.counter.amount(properties)
        return int(amount.scaleb(DECIMALS, EXACT)) if self.is_property_sum else int(amount)

    def display_score(self, score: int) -> int | float | Decimal:
        """A score as clients see it."""
        return exact_number(Decimal(score).scaleb(-DECIMALS, EXACT)) if self.is_property_sum else score


def compile_measure(metric: str, kind: MetricKind, selector: Mapping[str, Any], *, key: str = "") -> Measure:
    """Compile what a definition measures. It was validated when it was saved.

    `key` identifies what is measured. Measures that count events take theirs from the selector.
    """
    return Measure(
        metric=metric,
        kind=kind,
        key=_key_of_events(metric, selector) if kind.counts_events else key,
        selector=selector,
        counter=compile_counter(selector, kind),
    )


def _key_of_events(metric: str, selector: Mapping[str, Any]) -> str:
    given = json.dumps({name: value for name, value in selector.items() if value}, sort_keys=True)
    return f"{metric}:{sha256(given.encode()).hexdigest()[:16]}"
