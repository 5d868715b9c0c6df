"""The numbers about a participant that badges compare and leaderboards rank by (docs/contract.md §8, docs/contract.md §9).

A `Metric` is declared once, by the domain that stores the number. Badges, leaderboards, request bodies, console and OpenAPI
document read everything they need from the two registries.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.facts.engine.metrics import MetricKind
from gamify.facts.services.facts import Fact
from participants.errors import FieldError
from participants.models import DomainEvent, Participant, Tenant
from participants.registries import Registry
from participants.work import UnitOfWork

Selector = Mapping[str, Any]
"""What a definition adds to the name of a metric, such as `streak_code` or `event_name`."""

SELECTOR_FIELDS = ("event_name", "field", "filter", "streak_code")


@dataclass(frozen=True)
class MetricValue:
    """`best` is the number that counts. `current` is shown as progress. They differ for the longest run of a streak."""

    current: int
    best: int


@dataclass(frozen=True)
class HistoryAmount:
    """One amount that a participant's history adds to a sum, and when it counts."""

    participant_id: UUID
    amount: int
    at: datetime


EventAmounts = Callable[[DomainEvent], Iterable[tuple[datetime, int | None]]]
"""What a domain event changes in a metric: pairs of (time at which it counts, amount to add).

The amount is None for a level, a number that may go up and down, such as a balance. Its current value is read instead.
"""


def level_changed(event: DomainEvent) -> Iterator[tuple[datetime, None]]:
    """`EventAmounts` for a level: its value changed at the time of the event."""
    yield event.occurred_at, None


def _read_nothing(
    tenant: Tenant, participants: Sequence[Participant], selector: Selector, now: datetime
) -> Mapping[UUID, MetricValue]:
    return {}


def _no_problem(tenant: Tenant, selector: Selector) -> FieldError | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number about one participant. Metrics whose `kind` counts events need none of the functions."""

    label: str
    """The number in words, such as "points earned"."""

    display_order: int
    """Its place in lists of metrics. The OpenAPI document lists metrics in this order."""

    kind: MetricKind

    badge_name: str | None = None
    """Its name in the criteria of badges. None: badges cannot use it."""

    board_name: str | None = None
    """Its name in leaderboards. None: leaderboards cannot use it."""

    needs: tuple[str, ...] = ()
    """Fields that its selector must have."""

    accepts: tuple[str, ...] = ()
    """Further fields that its selector may have."""

    problem: Callable[[Tenant, Selector], FieldError | None] = _no_problem
    """What is wrong with a selector of this tenant, such as the code of a streak that does not exist."""

    read: Callable[[Tenant, Sequence[Participant], Selector, datetime], Mapping[UUID, MetricValue]] = _read_nothing
    """`read(tenant, participants, selector, now)` reads the stored numbers, by participant id. Missing participants have 0."""

    # --- badges

    raised_by: Mapping[str, Callable[[Fact, Selector], int | None]] = field(default_factory=dict)
    """By type of domain event, the number after the event. None: the event is not about this selector."""

    read_in_unit: Callable[[UnitOfWork, Participant, Selector], int] | None = None
    """The best number of one participant with the unwritten changes of a unit. None: `read` finds it in the participant's row."""

    # --- leaderboards

    changed_by: Mapping[str, EventAmounts] = field(default_factory=dict)
    """By type of domain event, what the event changes."""

    change_key: Callable[[Mapping[str, Any]], str] | None = None
    """Key of what is measured, from a selector or from the data of a domain event. None: the name of the metric.

    Metrics that change together may share a key.
    """

    history: Callable[[Tenant, Sequence[UUID]], Iterable[HistoryAmount]] | None = None
    """A sum's amounts in the whole history of these participants."""

    last_moves: Callable[..., Mapping[UUID, tuple[datetime, int]]] | None = None
    """`last_moves(tenant, ids, since=...)`: when each level changed last, and by how much since then. Only participants whose level
    ever changed are included. None: the past of the level is not known.
    """

    settle: Callable[..., object] | None = None
    """`settle(tenant=..., now=...)` writes what time alone has changed. Leaderboards call it before they are read."""

    is_announced_late: bool = False
    """Whether the number may drop to 0 some time before a domain event says so. Leaderboards follow the event."""

    @property
    def selector_fields(self) -> tuple[str, ...]:
        return (*self.needs, *self.accepts)

    def key_of(self, selector: Mapping[str, Any]) -> str:
        """Return the key under which leaderboards store changes of this metric.

        `selector` is the selector of a leaderboard, or the data of a domain event.
        """
        return str(self.board_name) if self.change_key is None else self.change_key(selector)

    def best_in_unit(self, work: UnitOfWork, participant: Participant, selector: Selector) -> int:
        """The best number of a participant of the unit, with the unit's unwritten changes."""
        if self.read_in_unit is not None:
            return self.read_in_unit(work, participant, selector)
        value = self.read(work.tenant, [participant], selector, work.now).get(participant.pk)
        return 0 if value is None else value.best


badge_metrics: Registry[Metric] = Registry("Metric of badges")
board_metrics: Registry[Metric] = Registry("Metric of leaderboards")


def register_metric(metric: Metric) -> None:
    """Make `metric` available to badges and leaderboards under its names. Raises ValueError if a name is taken."""
    if metric.badge_name is not None:
        badge_metrics.register(metric.badge_name, metric)
    if metric.board_name is not None:
        board_metrics.register(metric.board_name, metric)


def metric_choices(registry: Registry[Metric]) -> list[tuple[str, str]]:
    """Name and label of every metric, in display order."""
    return [(name, metric.label) for name, metric in sorted(registry.items(), key=lambda item: item[1].display_order)]


def badge_metric_names() -> list[str]:
    """Names that criteria of badges may have for a metric, in display order."""
    return [name for name, _ in metric_choices(badge_metrics)]


def board_metric_names() -> list[str]:
    """Names that leaderboards may have for a metric, in display order."""
    return [name for name, _ in metric_choices(board_metrics)]


def column_metric(column: str, *, raised_by: Sequence[str], **declared: Any) -> Metric:
    """A metric that is a column of the participant's row. `declared` are further fields of the `Metric`."""

    def number_after(fact: Fact, selector: Selector) -> int:
        return int(getattr(fact.participant, column))

    def read(
        tenant: Tenant, participants: Sequence[Participant], selector: Selector, now: datetime
    ) -> Mapping[UUID, MetricValue]:
        numbers = {each.pk: int(getattr(each, column)) for each in participants}
        return {participant_id: MetricValue(number, number) for participant_id, number in numbers.items()}

    return Metric(read=read, raised_by=dict.fromkeys(raised_by, number_after), **declared)


def register_event_metrics() -> None:
    """Register the metrics that count the events of clients."""
    register_metric(
        Metric(
            label="number of events",
            display_order=30,
            kind=MetricKind.EVENT_COUNT,
            badge_name="event_count",
            board_name="event_count",
            accepts=("event_name", "filter"),
        )
    )
    register_metric(
        Metric(
            label="sum of a property of events",
            display_order=40,
            kind=MetricKind.EVENT_SUM,
            badge_name="event_sum",
            board_name="event_sum",
            needs=("field",),
            accepts=("event_name", "filter"),
        )
    )
