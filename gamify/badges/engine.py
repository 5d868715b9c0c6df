"""Pure rules of badges: when one is earned without anybody giving it (contract §8).

    {"metric": "total_earned", "min": 1000}
    {"metric": "event_sum", "event_name": "purchase", "field": "amount", "filter": {"plan": "pro"}, "min": 500}
    {"metric": "streak_count", "streak_code": "daily_login", "min": 7}

Events are counted one by one, by `event_count` and `event_sum`; every other metric is a number that some domain keeps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gamify.facts.engine.conditions import amount_of
from gamify.facts.engine.expressions import Compiled, compile_filter
from gamify.facts.engine.fields import MISSING, Read, reader

EVENT_COUNT, EVENT_SUM = "event_count", "event_sum"
BY_EVENTS = (EVENT_COUNT, EVENT_SUM)
ANY_EVENT = "*"


@dataclass(frozen=True)
class Criterion:
    """`minimum` is what the metric must come to. `selector` is what else the criteria say; `revision` is the number of these criteria."""

    metric: str
    minimum: Decimal
    revision: int
    selector: Mapping[str, Any] = field(default_factory=dict)
    event_name: str | None = None
    only: Compiled | None = None
    read: Read | None = None

    @property
    def counts_events(self) -> bool:
        return self.metric in BY_EVENTS

    def matches(self, properties: Mapping[str, Any]) -> bool:
        """Whether an event of its name counts; a filter asks of the event alone."""
        return self.only is None or self.only.matches(properties, {})

    def amount(self, properties: Mapping[str, Any]) -> Decimal:
        """What an event that counts adds: one, or what it has in the field."""
        if self.read is None:
            return Decimal(1)
        value = self.read(properties, {})
        return Decimal(0) if value is MISSING else amount_of(value)

    def is_met_by(self, value: Decimal | int) -> bool:
        return value >= self.minimum

    def after(self, value: Decimal, properties: Mapping[str, Any]) -> Decimal:
        """`value` with one more event. It goes no further than the minimum, which is all that is asked."""
        return min(value + self.amount(properties), self.minimum)


def compiled_criterion(criteria: Mapping[str, Any] | None, *, revision: int) -> Criterion | None:
    """Criteria that were judged when the badge was defined."""
    if criteria is None:
        return None
    only, read = criteria.get("filter"), criteria.get("field")
    return Criterion(
        metric=criteria["metric"],
        minimum=Decimal(str(criteria["min"])),
        revision=revision,
        selector={name: value for name, value in criteria.items() if name not in {"metric", "min"}},
        event_name=criteria.get("event_name"),
        only=compile_filter(only) if only else None,
        read=reader(read) if read else None,
    )
