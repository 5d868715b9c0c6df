"""Refuses amounts of events that are too large for a sum. All other amounts are counted by `services.scoring`."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.outcomes import Outcome, Source, TraceEntry, UndoNote
from gamify.facts.services import Consumer, Fact
from gamify.leaderboards.engine.measures import DOMAIN
from gamify.leaderboards.selectors import boards_in
from gamify.leaderboards.services.limiting import count_or_refuse, large_sum_loads
from participants.catalog import Catalog
from participants.work import Load, UnitOfWork


def _loads(catalog: Catalog, events: Sequence[EventInput]) -> Sequence[Load]:
    boards = boards_in(catalog)
    return large_sum_loads(measure for event in events for measure in boards.by_event[event.name])


def _event_names(catalog: Catalog) -> Collection[str]:
    return boards_in(catalog).by_event.names


def _consume(fact: Fact, work: UnitOfWork, *, now: datetime) -> Iterable[Outcome]:
    boards = boards_in(work.catalog)
    for measure in boards.by_event[fact.name]:
        if measure.is_property_sum and (reason := count_or_refuse(work, fact, measure)):
            yield UndoNote(DOMAIN, {"refused": measure.key})
            for board in boards.by_measure[measure.key]:
                if board.has_member(fact.participant):
                    yield TraceEntry(Source("leaderboard", board.code), "refused", reason)


LISTENER = Consumer(loads=_loads, consume=_consume, event_names=_event_names)
