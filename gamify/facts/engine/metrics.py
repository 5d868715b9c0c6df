"""Kinds of metrics, and how the events of clients are counted (docs/contract.md §8, docs/contract.md §9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from gamify.facts.engine.conditions import amount_of
from gamify.facts.engine.expressions import CompiledExpression, compile_filter
from gamify.facts.engine.fields import MISSING, ReadField, compile_path
from gamify.facts.engine.listeners import ANY_EVENT


class MetricKind(Enum):
    """Where the number of a metric comes from."""

    LEVEL = "level"
    """A number that a domain stores and that may go up and down."""

    SUM = "sum"
    """The sum of amounts that domain events carry."""

    EVENT_COUNT = "event_count"
    """How many events of clients match the selector."""

    EVENT_SUM = "event_sum"
    """The sum of one property over the events of clients that match the selector."""

    @property
    def counts_events(self) -> bool:
        return self in {MetricKind.EVENT_COUNT, MetricKind.EVENT_SUM}


@dataclass(frozen=True)
class EventCounter:
    """Which events of clients count, and how much each of them adds.

    Without `event_filter` every event of the name counts. Without `read_field` every event adds one.
    """

    event_name: str = ANY_EVENT
    event_filter: CompiledExpression | None = None
    read_field: ReadField | None = None

    def matches(self, properties: Mapping[str, Any]) -> bool:
        """Whether an event of the right name counts. A filter reads the properties of the event only."""
        return self.event_filter is None or self.event_filter.matches(properties, {})

    def amount(self, properties: Mapping[str, Any]) -> Decimal:
        """What an event that matches adds: one, or the number in the field, exact to nine decimals.

        A value that is missing, or that is not a number above 0, adds 0.
        """
        if self.read_field is None:
            return Decimal(1)
        value = self.read_field(properties, {})
        return Decimal(0) if value is MISSING else amount_of(value)


ALL_EVENTS = EventCounter()


def compile_counter(selector: Mapping[str, Any], kind: MetricKind) -> EventCounter:
    """Compile a selector that was validated when its definition was saved."""
    event_filter, field = selector.get("filter"), selector.get("field")
    return EventCounter(
        event_name=selector.get("event_name") or ANY_EVENT,
        event_filter=compile_filter(event_filter) if event_filter else None,
        read_field=compile_path(field) if field and kind is MetricKind.EVENT_SUM else None,
    )
