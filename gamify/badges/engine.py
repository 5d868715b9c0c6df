"""Pure rules of badges: when a participant earns a badge by its criteria (docs/contract.md §8).

    {"metric": "total_earned", "min": 1000}
    {"metric": "event_sum", "event_name": "purchase", "field": "amount", "filter": {"plan": "pro"}, "min": 500}
    {"metric": "streak_count", "streak_code": "daily_login", "min": 7}

Badges count events themselves, one by one, for metrics whose kind counts events. Other metrics are numbers that some domain
stores.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gamify.facts.engine.metrics import ALL_EVENTS, EventCounter, MetricKind, compile_counter


@dataclass(frozen=True)
class Criterion:
    """The compiled criteria of a badge: it is earned when `metric` reaches `minimum`.

    `revision` is the badge's `criteria_revision`. `selector` is everything in the criteria but metric and minimum. `counter` is
    used only if `counts_events`.
    """

    metric: str
    minimum: Decimal
    revision: int
    selector: Mapping[str, Any] = field(default_factory=dict)
    counts_events: bool = False
    counter: EventCounter = ALL_EVENTS

    def is_met_by(self, value: Decimal | int) -> bool:
        return value >= self.minimum

    def value_after(self, value: Decimal, properties: Mapping[str, Any]) -> Decimal:
        """`value` after one more event that counts. It stops at the minimum, since nothing needs to know more."""
        return min(value + self.counter.amount(properties), self.minimum)


def compile_criterion(criteria: Mapping[str, Any], kind: MetricKind, *, revision: int) -> Criterion:
    """Compile criteria that were validated when the badge was saved. `kind` is the kind of their metric."""
    selector = {name: value for name, value in criteria.items() if name not in {"metric", "min"}}
    return Criterion(
        metric=criteria["metric"],
        minimum=Decimal(str(criteria["min"])),
        revision=revision,
        selector=selector,
        counts_events=kind.counts_events,
        counter=compile_counter(selector, kind),
    )
