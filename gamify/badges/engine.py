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
from gamify.facts.engine.expressions import CompiledExpression, compile_filter
from gamify.facts.engine.fields import MISSING, ReadField, compile_path

EVENT_COUNT, EVENT_SUM = "event_count", "event_sum"
BY_EVENTS = (EVENT_COUNT, EVENT_SUM)


@dataclass(frozen=True)
class Criterion:
    """`minimum` is what the metric must come to. `selector` is what else the criteria say; `revision` is the number of these criteria."""

    metric: str
    minimum: Decimal
    revision: int
    selector: Mapping[str, Any] = field(default_factory=dict)
    event_name: str | None = None
    event_filter: CompiledExpression | None = None
    read_field: ReadField | None = None

    @property
    def counts_events(self) -> bool:
        return self.metric in BY_EVENTS

    def matches(self, properties: Mapping[str, Any]) -> bool:
        """Whether an event of its name counts; a filter asks of the event alone."""
        return self.event_filter is None or self.event_filter.matches(properties, {})

    def amount(self, properties: Mapping[str, Any]) -> Decimal:
        """What an event that counts adds: one, or what it has in the field."""
        if self.read_field is None:
            return Decimal(1)
        value = self.read_field(properties, {})
        return Decimal(0) if value is MISSING else amount_of(value)

    def is_met_by(self, value: Decimal | int) -> bool:
        return value >= self.minimum

    def value_after(self, value: Decimal, properties: Mapping[str, Any]) -> Decimal:
        """`value` with one more event. It goes no further than the minimum, which is all that is asked."""
        return min(value + self.amount(properties), self.minimum)


def compile_criterion(criteria: Mapping[str, Any] | None, *, revision: int) -> Criterion | None:
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
        event_filter=compile_filter(only) if only else None,
        read_field=compile_path(read) if read else None,
    )
