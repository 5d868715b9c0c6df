"""The boards that a tenant keeps now, by code and by what they measure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from gamify.facts.engine.expressions import Compiled, compile_filter
from gamify.facts.engine.instants import FUTURE_ALLOWED
from gamify.leaderboards.engine.measures import ANY_EVENT, Measure, measure
from gamify.leaderboards.engine.periods import ALL_TIME, Kind, Period, day_of, period_on
from gamify.leaderboards.models import Leaderboard
from participants.catalog import Catalog, catalog_parts
from participants.models import Participant, Tenant

CATALOG_PART = "leaderboards"


@dataclass(frozen=True)
class Board:
    """A leaderboard as the catalog keeps it."""

    id: UUID
    code: str
    name: str
    measure: Measure
    window: Kind
    zone: ZoneInfo
    track: UUID
    is_building: bool
    only: Compiled | None = None

    def takes(self, participant: Participant) -> bool:
        """Whether they are one of those whom it ranks, shown or not."""
        return self.only is None or self.only.matches(participant.attributes, {})

    def current(self, kind: Kind, *, now: datetime) -> Period:
        return ALL_TIME if kind is Kind.ALL_TIME else period_on(kind, day_of(now, self.zone))

    def keeps(self, kind: Kind) -> bool:
        return kind is Kind.ALL_TIME or not self.measure.is_level


def days_compared(zone: ZoneInfo, *, now: datetime) -> Sequence[date]:
    """The days whose beginning a standing of all time may be compared with from `now` on: today and, shortly before midnight,
    tomorrow, which an event may already count in.
    """
    return sorted({day_of(now, zone), day_of(now + FUTURE_ALLOWED, zone)})


@dataclass(frozen=True)
class Boards:
    """Active boards by code, in display order; and those that measure one thing, by its key."""

    active: Mapping[str, Board]
    by_measure: Mapping[str, Sequence[Board]]
    of_events: Mapping[str, Sequence[Measure]]

    def alone(self, board: Board) -> "Boards":
        """As if there were this one only."""
        return Boards({board.code: board}, {board.measure.key: [board]}, {})

    def counting(self, event_name: str) -> Iterable[Measure]:
        """What is measured by events of this name."""
        named = self.of_events.get(event_name, ()) if event_name != ANY_EVENT else ()
        return (*named, *self.of_events.get(ANY_EVENT, ()))


def load_boards(tenant: Tenant) -> Boards:
    """The catalog's part."""
    active = {row.code: compiled(row) for row in Leaderboard.objects.of(tenant).active().in_order()}
    by_measure: defaultdict[str, list[Board]] = defaultdict(list)
    of_events: defaultdict[str, dict[str, Measure]] = defaultdict(dict)
    for board in active.values():
        by_measure[board.measure.key].append(board)
        if board.measure.counts_events:
            of_events[board.measure.event_name][board.measure.key] = board.measure
    return Boards(active, by_measure, {name: tuple(found.values()) for name, found in of_events.items()})


def compiled(row: Leaderboard) -> Board:
    return Board(
        id=row.pk,
        code=row.code,
        name=row.name,
        measure=measure(row.metric, row.selector),
        window=Kind[row.time_window.upper()],
        zone=ZoneInfo(row.timezone),
        track=row.track,
        is_building=row.built_at is None,
        only=compile_filter(row.participant_filter) if row.participant_filter else None,
    )


def boards_in(catalog: Catalog) -> Boards:
    return cast("Boards", catalog.part(CATALOG_PART))


def register() -> None:
    catalog_parts.register(CATALOG_PART, load_boards)
