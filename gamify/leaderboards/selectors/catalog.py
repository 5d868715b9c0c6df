"""The active boards of a tenant, compiled for the catalog."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from gamify.facts.engine.expressions import CompiledExpression, compile_filter
from gamify.facts.engine.instants import FUTURE_ALLOWED
from gamify.facts.engine.listeners import ListenerIndex, index_listeners
from gamify.facts.services import Metric, board_metrics
from gamify.leaderboards.engine.measures import Measure, compile_measure
from gamify.leaderboards.engine.periods import ALL_TIME, Kind, Period, local_day, period_on
from gamify.leaderboards.models import Leaderboard
from participants.catalog import CatalogPart
from participants.models import Participant, Tenant


@dataclass(frozen=True)
class Board:
    """A compiled leaderboard.

    `default_kind` is the period for requests that name none, `zone` the zone in which periods begin, and `member_filter`
    selects the participants that are ranked (None for all).
    """

    id: UUID
    code: str
    name: str
    measure: Measure
    default_kind: Kind
    zone: ZoneInfo
    track: UUID
    is_building: bool
    member_filter: CompiledExpression | None = None

    def has_member(self, participant: Participant) -> bool:
        """Whether the board ranks this participant. Hidden participants are members too."""
        return self.member_filter is None or self.member_filter.matches(participant.attributes, {})

    def current_period(self, kind: Kind, *, now: datetime) -> Period:
        return ALL_TIME if kind is Kind.ALL_TIME else period_on(kind, local_day(now, self.zone))

    def has_kind(self, kind: Kind) -> bool:
        """Whether the board has periods of this kind. Boards that rank levels have only all time."""
        return kind is Kind.ALL_TIME or not self.measure.is_level


def comparison_days(zone: ZoneInfo, *, now: datetime) -> Sequence[date]:
    """The local days with whose start a standing of all time may be compared, in rising order.

    This is today. Shortly before midnight it is also tomorrow, because an event may be FUTURE_ALLOWED ahead of the clock.
    """
    return sorted({local_day(now, zone), local_day(now + FUTURE_ALLOWED, zone)})


@dataclass(frozen=True)
class Boards:
    """The active boards of a tenant.

    `active` has them by code, in display order. `by_measure` has them by the key of their measure. `by_event` has the measures that
    count events.
    """

    active: Mapping[str, Board]
    by_measure: Mapping[str, Sequence[Board]]
    by_event: ListenerIndex[tuple[Measure, ...]]

    @cached_property
    def metrics_changed_by(self) -> Mapping[str, Sequence[Metric]]:
        """All metrics, by the type of each domain event that changes them."""
        found: defaultdict[str, list[Metric]] = defaultdict(list)
        for metric in board_metrics.values():
            for type_name in metric.changed_by:
                found[type_name].append(metric)
        return dict(found)

    def only_with(self, board: Board) -> "Boards":
        """Boards that contain only `board`. The measures of events are empty, because reads do not need them."""
        return Boards({board.code: board}, {board.measure.key: [board]}, ListenerIndex({}, ()))


def load_boards(tenant: Tenant) -> Boards:
    """Build the part "leaderboards" of the catalog."""
    active = {row.code: compile_board(row) for row in Leaderboard.objects.of(tenant).active().in_order()}
    by_measure: defaultdict[str, list[Board]] = defaultdict(list)
    for board in active.values():
        by_measure[board.measure.key].append(board)
    measures = [boards[0].measure for boards in by_measure.values() if boards[0].measure.counts_events]
    return Boards(
        active, by_measure, index_listeners(measures, names_of=lambda measure: (measure.event_name,), group=tuple)
    )


def compile_board(row: Leaderboard) -> Board:
    metric = board_metrics[row.metric]
    return Board(
        id=row.pk,
        code=row.code,
        name=row.name,
        measure=compile_measure(row.metric, metric.kind, row.selector, key=metric.key_of(row.selector)),
        default_kind=Kind[row.time_window.upper()],
        zone=ZoneInfo(row.timezone),
        track=row.track,
        is_building=row.built_at is None,
        member_filter=compile_filter(row.participant_filter) if row.participant_filter else None,
    )


boards_in = CatalogPart("leaderboards", load_boards)
